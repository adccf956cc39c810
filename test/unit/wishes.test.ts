/** The policy of what is asked for beyond 1.2.5, on paper. */
import t from 'tap';
import { decide } from '../../src/decide.ts';
import { type Action, type Event, initialState, type State, type TimerId, type Wishes } from '../../src/state.ts';
import { HUP, INT, KILL, QUIT, TERM, TSTP } from '../helpers/signals.ts';

const CHILD = 42;
const ORPHAN = 99;
const PWR = 30;

const start = (wishes: Partial<Wishes>, child = CHILD): State =>
  initialState({
    ...{ child, target: 'group', rewrites: new Map(), detachedAsLeader: false, voice: {} },
    wishes: { waitAll: false, killAfter: new Map(), delays: new Map(), exitMap: new Map(), ...wishes },
  });

/** What is done at each of these events, one after the other. */
function course(state: State, ...events: Event[]): Action[][] {
  return events.map((event) => {
    const [next, actions] = decide(state, event);
    state = next;
    return actions;
  });
}

const signal = (n: number): Event => ({ type: 'signal', n });
const exited = (pid: number, code = 0): Event => ({ type: 'died', pid, status: code << 8 });
const drained = (childless: boolean): Event => ({ type: 'drained', childless });
const timeout = (id: TimerId): Event => ({ type: 'timeout', id });
const toGroup = (n: number): Action => ({ type: 'kill', target: -CHILD, n });
const toAll = (n: number, target = 0): Action => ({ type: 'killAll', target, n });
const stopAll = (n: number): Action => ({ type: 'killAll', target: 0, n, toStop: true });
const stopGroup = (n: number): Action => ({ type: 'kill', target: -CHILD, n, toStop: true });
const reap: Action = { type: 'reap' };
const timer = (id: TimerId, ms: number): Action => ({ type: 'startTimer', id, ms });
const bury = (pid: number): Action => ({ type: 'bury', pid });
const exit = (code: number): Action => ({ type: 'exit', code });

t.test('wait-all: TERM to all at the end of the command, exit when no child is left', async (t) => {
  const actions = course(start({ waitAll: true }), exited(CHILD, 7), drained(false), signal(HUP), drained(true));
  t.strictSame(actions, [[stopAll(TERM), bury(CHILD)], [], [toAll(HUP)], [exit(7)]]);
});

t.test('wait-all: before the end of the command, having no child left means nothing', async (t) => {
  t.strictSame(course(start({ waitAll: true }), exited(ORPHAN), drained(true)), [[bury(ORPHAN)], []]);
});

t.test('kill-after: the first TERM counts, KILL goes to all, and to who turns up when some are gone', async (t) => {
  const state = start({ killAfter: new Map([[TERM, 10]]) });
  const events = [signal(TERM), signal(TERM), timeout('force'), exited(ORPHAN), drained(false), exited(CHILD)];
  t.strictSame(course(state, ...events), [
    [toGroup(TERM), timer('force', 10)],
    [toGroup(TERM)],
    [toAll(KILL, -CHILD)],
    [bury(ORPHAN)],
    [{ type: 'killRest', target: -CHILD }],
    [toGroup(TERM), bury(CHILD), exit(0)],
  ]);
});

t.test('kill-after with wait-all: the end of the command starts the time, unless it runs', async (t) => {
  const state = start({ killAfter: new Map([[TERM, 10]]), waitAll: true });
  t.strictSame(course(state, exited(CHILD), timeout('force')), [
    [stopAll(TERM), timer('force', 10), bury(CHILD)],
    [toAll(KILL)],
  ]);
  t.strictSame(course(state, signal(TERM), exited(CHILD)), [
    [stopGroup(TERM), timer('force', 10)],
    [stopAll(TERM), bury(CHILD)],
  ]);
});

t.test('kill-after: a signal that becomes a TERM starts the time, and so does one that is named', async (t) => {
  const killAfter = new Map([
    [TERM, 10],
    [QUIT, 20],
  ]);
  const begun = (rewrites: [number, number][], n: number) =>
    course({ ...start({ killAfter }), rewrites: new Map(rewrites) }, signal(n))
      .flat()
      .at(-1);
  t.strictSame(begun([[PWR, TERM]], PWR), timer('force', 10));
  t.strictSame(begun([[HUP, QUIT]], HUP), timer('force', 20));
  t.strictSame(begun([[QUIT, HUP]], QUIT), timer('force', 20));
  t.strictSame(begun([[TERM, QUIT]], TERM), timer('force', 10), 'as it came before as it is passed on');
  t.strictSame(begun([], HUP), toGroup(HUP));
});

t.test('kill-after: another signal than TERM starts nothing', async (t) => {
  t.strictSame(course(start({ killAfter: new Map([[TERM, 10]]) }), signal(HUP)), [[toGroup(HUP)]]);
});

t.test('delay: a signal is held back, further ones of it are merged, and then it is as if it came', async (t) => {
  const state = start({ delays: new Map([[TERM, 5]]), killAfter: new Map([[TERM, 10]]) });
  t.strictSame(course(state, signal(TERM), signal(TERM), signal(HUP), timeout(TERM), signal(TERM)), [
    [timer(TERM, 5)],
    [],
    [toGroup(HUP)],
    [toGroup(TERM), timer('force', 10)],
    [timer(TERM, 5)],
  ]);
});

t.test('delay: dumb-init stops itself when the command is stopped, not before', async (t) => {
  const state = start({ delays: new Map([[TSTP, 5]]) });
  t.strictSame(course(state, signal(TSTP), timeout(TSTP)), [[timer(TSTP, 5)], [toGroup(19), { type: 'stopSelf' }]]);
});

t.test('map-exit: the status of the command, also that of a signal, becomes another', async (t) => {
  const state = start({ exitMap: new Map([[143, 0]]) });
  t.strictSame(course(state, { type: 'died', pid: CHILD, status: TERM }), [[toGroup(TERM), bury(CHILD), exit(0)]]);
  t.strictSame(course(state, exited(CHILD, 1)), [[toGroup(TERM), bury(CHILD), exit(1)]]);
});

t.test(
  'pause with wait-all: everybody is told to stop, and waited for; a second TERM tells who was not told',
  async (t) => {
    const state = start({ waitAll: true, killAfter: new Map([[TERM, 10]]) }, 0);
    t.strictSame(
      course(state, signal(HUP), signal(INT), drained(false), signal(TERM), timeout('force'), drained(true)),
      [[], [stopAll(TERM), timer('force', 10), reap], [], [stopAll(TERM), reap], [toAll(KILL)], [exit(0)]],
    );
  },
);

t.test('pause: a delay and a rewrite work as with a command', async (t) => {
  const state = start({ delays: new Map([[TERM, 5]]) }, 0);
  t.strictSame(course(state, signal(TERM), timeout(TERM)), [[timer(TERM, 5)], [exit(0)]]);
  const rewritten = {
    ...start({}, 0),
    rewrites: new Map([
      [QUIT, TERM],
      [TERM, 0],
    ]),
  };
  t.strictSame(course(rewritten, signal(TERM), signal(QUIT)), [[], [exit(0)]]);
});

t.test('pause: TERM is the end, HUP is nothing, and no reaped process is the command', async (t) => {
  t.strictSame(course(start({}, 0), signal(HUP), exited(ORPHAN), drained(true), signal(TERM)), [
    [],
    [bury(ORPHAN)],
    [],
    [exit(0)],
  ]);
});
