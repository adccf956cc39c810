/** The one way in for what happens, on paper. */
import t from 'tap';
import { Events, type Source } from '../../src/events.ts';
import type { Event } from '../../src/state.ts';

const signal = (n: number): Event => ({ type: 'signal', n });

/** A kernel with these signals and these dead; time goes on while nothing comes. */
function source(signals: Event[], dead: { pid: number; status: number }[] = []): Source & { waits: unknown[] } {
  let now = 0;
  const waits: unknown[] = [];
  return {
    waits,
    now: () => now,
    nextSignal: (ms) => {
      waits.push(ms);
      const next = signals.shift();
      if (!next) now += ms ?? 0;
      return next;
    },
    nextDead: () => dead.shift() ?? 'alive',
    identity: (pid) => ({ name: `name ${pid}`, group: 1, session: 1 }),
  };
}

t.test('what has happened already comes first, then signals, each once', async (t) => {
  const events = new Events(source([signal(2), signal(3)]), [signal(1)], false);
  t.strictSame([events.next(), events.next(), events.next()], [signal(1), signal(2), signal(3)]);
});

t.test('after reap the dead come before anything else, and then that there is none', async (t) => {
  const dead = [
    { pid: 8, status: 0 },
    { pid: 9, status: 15 },
  ];
  const events = new Events(source([signal(2)], dead), [signal(1)], false);
  events.reap();
  t.strictSame(
    [events.next(), events.next(), events.next(), events.next()],
    [
      { type: 'died', pid: 8, status: 0, who: undefined },
      { type: 'died', pid: 9, status: 15, who: undefined },
      { type: 'drained', childless: false },
      signal(1),
    ],
  );
});

t.test('a death tells who the dead was, if it is to', async (t) => {
  const events = new Events(source([], [{ pid: 8, status: 0 }]), [], true);
  events.reap();
  t.match(events.next(), { type: 'died', who: { name: 'name 8' } });
});

t.test('a time that is up comes before a signal, and the wait for a signal ends with the next time', async (t) => {
  const kernel = source([]);
  const events = new Events(kernel, [], false);
  events.startTimer(15, 10);
  events.startTimer('force', 30);
  t.strictSame(
    [events.next(), events.next()],
    [15, 'force'].map((id) => ({ type: 'timeout', id })),
  );
  t.strictSame(kernel.waits, [10, 20]);
});

t.test('without a timer a signal is waited for without an end', async (t) => {
  const kernel = source([signal(1)]);
  t.strictSame(new Events(kernel, [], false).next(), signal(1));
  t.strictSame(kernel.waits, [undefined]);
});

t.test('the dead from before come first, but the command, whose signal is awaited', async (t) => {
  const dead = [
    { pid: 8, status: 0 },
    { pid: 42, status: 0 },
  ];
  const events = new Events(source([signal(17)], dead), [], false);
  events.reapInherited(42);
  t.strictSame([events.next(), events.next()], [{ type: 'died', pid: 8, status: 0, who: undefined }, signal(17)]);
});

t.test('where nobody died before, nothing happens', async (t) => {
  const events = new Events(source([signal(1)]), [], false);
  events.reapInherited(42);
  t.strictSame(events.next(), signal(1));
});
