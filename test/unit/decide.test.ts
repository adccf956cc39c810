/** The policy on paper: no process is needed. */
import t from 'tap';
import { decide } from '../../src/decide.ts';
import { defaultSettings } from '../../src/option-table.ts';
import { dumbInit } from '../../src/personalities/dumb-init.ts';
import { SIGNALS } from '../../src/signals.ts';
import { type Action, type Event, initialState, type Started, type State } from '../../src/state.ts';
import { textOf } from '../../src/voice.ts';
import { CHLD, CONT, HUP, INT, KILL, QUIT, STOP, TERM, TSTP, TTIN, TTOU } from '../helpers/signals.ts';

const CHILD = 42;
const ORPHAN = 99;
const RT64 = 64;

function state(changes: Partial<Started> & { handoff?: readonly number[] } = {}): State {
  const { handoff, ...started } = changes;
  const initial = initialState({
    ...{ child: CHILD, target: 'group', voice: {}, rewrites: new Map(), detachedAsLeader: false },
    ...started,
  });
  return handoff ? { ...initial, handoff } : initial;
}

const rewrites = (...pairs: [number, number][]) => ({ rewrites: new Map(pairs) });
const signal = (n: number, handoff?: boolean): Event => ({ type: 'signal', n, ...(handoff ? { handoff } : {}) });
const exited = (pid: number, code: number): Event => ({ type: 'died', pid, status: code << 8 });
const killed = (pid: number, n: number): Event => ({ type: 'died', pid, status: n });

const toGroup = (n: number): Action => ({ type: 'kill', target: -CHILD, n });
const toChild = (n: number): Action => ({ type: 'kill', target: CHILD, n });
const stopSelf: Action = { type: 'stopSelf' };
const reap: Action = { type: 'reap' };
const exit = (code: number): Action => ({ type: 'exit', code });
const bury = (pid: number): Action => ({ type: 'bury', pid });
/** An action, with the text alone of a line. */
const asText = (action: Action): Action => (action.type === 'log' ? { ...action, line: textOf(action.line) } : action);
const log = (text: string): Action => ({ type: 'log', line: `[dumb-init] ${text}\n` });

const single: Partial<Started> = { target: 'process' };
const fromEnvironment = { debug: false, noSetsid: false };
const self = { pid: 1, describe: String };
const verbose = { voice: dumbInit.voice({ ...defaultSettings(), verbose: true, command: 1, fromEnvironment }, self) };

// [what it shows, state, event, actions]
const CASES: [string, State, Event, Action[]][] = [
  ['a signal goes to the process group', state(), signal(TERM), [toGroup(TERM)]],
  ['with -c, a signal goes to the child alone', state(single), signal(TERM), [toChild(TERM)]],
  ['a real-time signal is forwarded as it is', state(), signal(RT64), [toGroup(RT64)]],
  ['CONT is forwarded', state(), signal(CONT), [toGroup(CONT)]],
  ['CHLD reaps and is not forwarded', state(), signal(CHLD), [reap]],

  ['TSTP stops the group, then dumb-init', state(), signal(TSTP), [toGroup(STOP), stopSelf]],
  ['TTIN stops the group, then dumb-init', state(), signal(TTIN), [toGroup(STOP), stopSelf]],
  ['TTOU stops the group, then dumb-init', state(), signal(TTOU), [toGroup(STOP), stopSelf]],
  ['with -c, TSTP stays what it is', state(single), signal(TSTP), [toChild(TSTP), stopSelf]],

  ['a rewritten signal is forwarded as the other', state(rewrites([TERM, QUIT])), signal(TERM), [toGroup(QUIT)]],
  ['a rewrite leaves other signals alone', state(rewrites([TERM, QUIT])), signal(INT), [toGroup(INT)]],
  ['a rewrite applies once', state(rewrites([HUP, INT], [INT, QUIT])), signal(HUP), [toGroup(INT)]],
  ['a signal rewritten to 0 is dropped', state(rewrites([TERM, 0])), signal(TERM), []],
  ['a rewrite overrides what TSTP becomes', state(rewrites([TSTP, TSTP])), signal(TSTP), [toGroup(TSTP), stopSelf]],
  ['a dropped TSTP stops dumb-init all the same', state(rewrites([TSTP, 0])), signal(TSTP), [stopSelf]],
  ['what is rewritten to TSTP stops nobody', state(rewrites([INT, TSTP])), signal(INT), [toGroup(TSTP)]],
  [
    'with -c, a rewritten signal goes to the child alone',
    state({ ...single, ...rewrites([TERM, QUIT]) }),
    signal(TERM),
    [toChild(QUIT)],
  ],
  ['CHLD is tested before the rewrites', state(rewrites([CHLD, TERM])), signal(CHLD), [reap]],

  ['the HUP of the hand-off is swallowed', state({ detachedAsLeader: true }), signal(HUP, true), []],
  ['the CONT of the hand-off is swallowed', state({ detachedAsLeader: true }), signal(CONT, true), []],
  [
    "somebody else's HUP is forwarded while that of the hand-off is awaited",
    state({ detachedAsLeader: true }),
    signal(HUP),
    [toGroup(HUP)],
  ],
  ['a second HUP of the hand-off is forwarded', state({ handoff: [CONT] }), signal(HUP, true), [toGroup(HUP)]],
  ['a HUP of our own is forwarded where no terminal was given up', state(), signal(HUP, true), [toGroup(HUP)]],
  [
    'another signal of our own is forwarded while the hand-off is awaited',
    state({ detachedAsLeader: true }),
    signal(INT, true),
    [toGroup(INT)],
  ],
  [
    'the hand-off is tested before the rewrites',
    state({ detachedAsLeader: true, ...rewrites([HUP, INT]) }),
    signal(HUP, true),
    [],
  ],

  ['an orphan that ends is buried, and nothing else', state(), exited(ORPHAN, 3), [bury(ORPHAN)]],
  ['an orphan that was killed is buried, and nothing else', state(), killed(ORPHAN, KILL), [bury(ORPHAN)]],
  [
    'the end of the child ends all: TERM to the group, its status',
    state(),
    exited(CHILD, 3),
    [toGroup(TERM), bury(CHILD), exit(3)],
  ],
  ['a killed child gives 128 + n', state(), killed(CHILD, KILL), [toGroup(TERM), bury(CHILD), exit(128 + KILL)]],
  ['with -c nobody gets a TERM at the end of the child', state(single), exited(CHILD, 0), [bury(CHILD), exit(0)]],
  [
    'the TERM at the end of the child is rewritten',
    state(rewrites([TERM, QUIT])),
    exited(CHILD, 0),
    [toGroup(QUIT), bury(CHILD), exit(0)],
  ],
  [
    'the TERM at the end of the child is dropped if it is rewritten to 0',
    state(rewrites([TERM, 0])),
    exited(CHILD, 0),
    [bury(CHILD), exit(0)],
  ],

  [
    'lines: a forwarded signal',
    state(verbose),
    signal(TERM),
    [log('Received signal 15.'), toGroup(TERM), log('Forwarded signal 15 to children.')],
  ],
  [
    'lines: a rewritten signal that suspends',
    state(verbose),
    signal(TTIN),
    [
      log('Received signal 21.'),
      log('Translating signal 21 to 19.'),
      toGroup(STOP),
      log('Forwarded signal 19 to children.'),
      log('Suspending self due to TTY signal.'),
      stopSelf,
    ],
  ],
  [
    'lines: a dropped signal, named by what it became',
    state({ ...verbose, ...rewrites([TERM, 0]) }),
    signal(TERM),
    [
      log('Received signal 15.'),
      log('Translating signal 15 to 0.'),
      log('Not forwarding signal 0 to children (ignored).'),
    ],
  ],
  [
    'lines: a signal of the hand-off',
    state({ ...verbose, detachedAsLeader: true }),
    signal(CONT, true),
    [log('Received signal 18.'), log('Ignoring tty hand-off signal 18.')],
  ],
  ['lines: CHLD is named before the dead are', state(verbose), signal(CHLD), [log('Received signal 17.'), reap]],
  [
    'lines: an orphan that was killed',
    state(verbose),
    killed(ORPHAN, KILL),
    [log('A child with PID 99 was terminated by signal 9.'), bury(ORPHAN)],
  ],
  [
    'lines: the end, with -c too, where nothing is sent',
    state({ ...verbose, ...single }),
    exited(CHILD, 3),
    [
      log('A child with PID 42 exited with exit status 3.'),
      log('Forwarded signal 15 to children.'),
      bury(CHILD),
      log('Child exited with status 3. Goodbye.'),
      exit(3),
    ],
  ],
];

for (const [title, before, event, actions] of CASES) {
  t.test(title, (t) => {
    t.strictSame(decide(before, event)[1].map(asText), actions);
    t.end();
  });
}

t.test('each signal of the hand-off is swallowed once, in either order; no other event takes one off', (t) => {
  const start = state({ detachedAsLeader: true });
  const [afterCont] = decide(start, signal(CONT, true));
  t.strictSame(afterCont, { ...start, handoff: [HUP] });
  const [afterBoth] = decide(afterCont, signal(HUP, true));
  t.strictSame(afterBoth, { ...start, handoff: [] });
  for (const event of [signal(TERM), signal(TSTP), signal(CHLD), exited(ORPHAN, 0), exited(CHILD, 0)]) {
    t.strictSame(decide(start, event)[0].handoff, start.handoff);
  }
  t.end();
});

t.test('every signal that suspends, and no other, stops dumb-init', (t) => {
  for (const { n, suspends = false } of SIGNALS) {
    for (const before of [state(), state(single)]) {
      const [, actions] = decide(before, signal(n));
      t.equal(
        actions.some(({ type }) => type === 'stopSelf'),
        suspends,
      );
    }
  }
  t.end();
});
