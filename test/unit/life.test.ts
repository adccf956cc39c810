/** The life on paper: whatever throws is reported, and the work goes on. */
import t from 'tap';
import { live, type World } from '../../src/life.ts';
import { type Action, type Event, initialState, type State } from '../../src/state.ts';
import type { Voice } from '../../src/voice.ts';
import { CHLD, HUP } from '../helpers/signals.ts';

const CHILD = 42;
const ORPHAN = 99;

const EVENTS: readonly Event[] = [
  { type: 'signal', n: HUP },
  { type: 'signal', n: CHLD },
  { type: 'died', pid: ORPHAN, status: 0 },
  { type: 'drained', childless: false },
  { type: 'timeout', id: 'settled' },
  { type: 'signal', n: CHLD },
  { type: 'died', pid: CHILD, status: 7 << 8 },
];

/** Ends a life where the process would end. */
class End extends Error {}

/** What was done and reported in a life of these events. */
function life(voice: Voice, fail: (what: string) => void) {
  const state: State = initialState({
    ...{ child: CHILD, target: 'group', rewrites: new Map(), detachedAsLeader: false, voice },
  });
  const events = [...EVENTS];
  const [done, reported]: [Action[], string[]] = [[], []];
  let ended = false;
  const world: World = {
    next: () => {
      if (!ended) fail('next');
      const event = events.shift();
      if (!event) throw new Error('nothing more happens');
      return event;
    },
    perform: (action) => {
      if (action.type === 'exit') ended = true;
      else fail(action.type);
      done.push(action);
    },
    report: (error) => {
      if (ended) throw new End();
      reported.push(String(error));
    },
  };
  // After the exit the next event is asked for, in vain: that is reported, and ends the paper.
  try {
    live(state, world);
  } catch (error) {
    if (!(error instanceof End)) throw error;
  }
  return { done, reported };
}

const talking: Voice = {
  received: (n) => `received ${n}`,
  forwarded: (n) => `forwarded ${n}`,
  reaped: (pid) => `reaped ${pid}`,
  drained: () => 'drained',
  goodbye: (status) => `goodbye ${status}`,
};

t.test('an error at any step of the life is reported, and everything else is done', async (t) => {
  let steps = 0;
  const whole = life(talking, () => {
    steps++;
  });
  t.strictSame(whole.reported, []);
  t.ok(steps > 15);
  for (let nth = 0; nth < steps; nth++) {
    let step = 0;
    let failed = '';
    const { done, reported } = life(talking, (what) => {
      if (step++ !== nth) return;
      failed = what;
      throw new Error('injected');
    });
    t.strictSame(reported, ['Error: injected'], failed);
    const left = failed === 'next' ? whole.done.length : whole.done.length - 1;
    t.equal(done.length, left, `${failed}: all but what failed is done`);
    t.strictSame(done.at(-1), { type: 'exit', code: 7 });
  }
});

t.test('where a text fails, what was to be done is done without a word', async (t) => {
  const whole = life({}, () => {});
  for (const name of Object.keys(talking) as (keyof Voice)[]) {
    const failing = () => {
      throw new Error(name);
    };
    const { done, reported } = life({ ...talking, [name]: failing }, () => {});
    t.ok(reported.length > 0 && reported.every((text) => text === `Error: ${name}`), name);
    t.strictSame(
      done.filter(({ type }) => type !== 'log'),
      whole.done,
      name,
    );
  }
});
