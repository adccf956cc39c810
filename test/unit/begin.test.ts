/** The beginning on paper: which steps are taken, in which order, and what a failure of each leads to. */
import t from 'tap';
import { ENOTTY } from '../../src/abi.ts';
import { type Answer, begin, follow, type Step } from '../../src/begin.ts';
import { catatonit } from '../../src/personalities/catatonit.ts';
import { dumbInit } from '../../src/personalities/dumb-init.ts';
import { tini } from '../../src/personalities/tini.ts';
import type { Personality } from '../../src/personality.ts';
import { type Failure, textOf } from '../../src/voice.ts';

const CHILD = 42;
const FAILED: Failure = { errno: ENOTTY, text: 'Inappropriate ioctl for device' };
const self = { pid: 1, describe: String };

/** The steps of a command line, each as its type, a line as its text, with the answers that are given. */
function steps(personality: Personality, line: string, answers: Partial<Record<Step['type'], Answer>> = {}) {
  const words = ['init', ...line.split(' ').filter(Boolean)];
  const parsed = personality.parse(words, () => undefined, self);
  if (parsed.kind !== 'run') throw new Error(parsed.text);
  const taken: string[] = [];
  const take = (step: Step): Answer => {
    taken.push(step.type === 'say' ? textOf(step.line).trim() : step.type);
    if (step.type in answers) return answers[step.type];
    if (step.type === 'detach') return { leader: false, early: [] };
    return step.type === 'spawn' ? { pid: CHILD } : undefined;
  };
  const beginning = follow(begin(parsed.options, personality, { ...self, words }), take, (error) => {
    throw error;
  });
  return { taken, beginning };
}

t.test('dumb-init gives up the terminal, starts the command and leaves its folder', async (t) => {
  t.strictSame(steps(dumbInit, 'true').taken, ['detach', 'spawn', 'leaveFolder']);
});

t.test('with -c the terminal is kept', async (t) => {
  t.strictSame(steps(dumbInit, '-c true').taken, ['spawn', 'leaveFolder']);
});

t.test('signals go to the process group of a command, with -c to the command alone', async (t) => {
  const [group, single] = [steps(dumbInit, 'true').beginning, steps(dumbInit, '-c true').beginning];
  t.match(
    [group, single],
    [{ state: { child: CHILD, target: 'group' } }, { state: { child: CHILD, target: 'process' } }],
  );
});

t.test('--pause starts nothing, and its life has no command', async (t) => {
  const { taken, beginning } = steps(dumbInit, '--pause');
  t.strictSame(taken, ['leaveFolder']);
  t.match(beginning, { state: { child: 0 } });
});

t.test('what is asked for before the command comes before it', async (t) => {
  t.strictSame(steps(dumbInit, '--subreaper --parent-death-signal TERM true').taken, [
    ...['setParentDeathSignal', 'becomeSubreaper', 'detach', 'spawn', 'leaveFolder'],
  ]);
});

t.test('tini and catatonit keep the session, and catatonit closes what was inherited', async (t) => {
  t.strictSame(steps(tini, 'true', { askWhetherReaper: true }).taken, ['askWhetherReaper', 'spawn']);
  t.strictSame(steps(catatonit, 'true').taken, ['becomeSubreaper', 'spawn', 'closeFiles']);
});

t.test('where there can be no child it says so, and ends with status 1', async (t) => {
  const { taken, beginning } = steps(dumbInit, 'true', { spawn: FAILED });
  t.strictSame(taken, ['detach', 'spawn', '[dumb-init] Unable to fork. Exiting.']);
  t.strictSame(beginning, { status: 1 });
});

t.test('a child without a session of its own says so, and nothing else', async (t) => {
  const { taken } = steps(dumbInit, '-v true', { spawn: { pid: CHILD, setsid: FAILED, exec: FAILED } });
  t.match(taken.slice(2, 4), [/spawn/, /Unable to setsid/]);
  t.match(taken[4], /Child spawned with PID 42/);
});

t.test('each failure that has a line has its own place', async (t) => {
  const spawn = { pid: CHILD, takeTerminal: FAILED, exec: { errno: 2, text: 'No such file or directory' } };
  const { taken } = steps(dumbInit, '-v true', {
    detach: { failure: FAILED, leader: false, early: [] },
    spawn,
    leaveFolder: FAILED,
  });
  t.strictSame(
    taken.map((line) => line.replace('[dumb-init] ', '')),
    [
      'detach',
      'Unable to detach from controlling tty (errno=25 Inappropriate ioctl for device).',
      'spawn',
      'Unable to attach to controlling tty (errno=25 Inappropriate ioctl for device).',
      'setsid complete.',
      'true: No such file or directory',
      'Child spawned with PID 42.',
      'leaveFolder',
      'Unable to chdir("/") (errno=25 Inappropriate ioctl for device)',
    ],
  );
});

t.test('the signals of the hand-off are what has happened already', async (t) => {
  const early = [{ type: 'signal', n: 1, handoff: true }] as const;
  const { beginning } = steps(dumbInit, 'true', { detach: { leader: true, early } });
  t.match(beginning, { early, state: { handoff: [1, 18] } });
});

/** A beginning with all its words, of which one step throws, counted from 0. */
function faulty(nth: number) {
  const words = ['dumb-init', '-v', 'true'];
  const parsed = dumbInit.parse(words, () => undefined, self);
  if (parsed.kind !== 'run') throw new Error(parsed.text);
  const taken: string[] = [];
  const reported: unknown[] = [];
  const take = (step: Step): Answer => {
    if (taken.push(step.type) === nth + 1) throw new Error('injected');
    if (step.type === 'detach') return { leader: true, early: [] };
    return step.type === 'spawn' ? { pid: CHILD } : undefined;
  };
  const paper = begin(parsed.options, dumbInit, { ...self, words });
  return { taken, reported, follow: () => follow(paper, take, (error) => reported.push(error)) };
}

t.test('an error before the command runs is the end; after that it is reported, and the life begins', async (t) => {
  const whole = faulty(-1);
  whole.follow();
  const spawn = whole.taken.indexOf('spawn');
  t.ok(spawn > 0 && spawn < whole.taken.length - 1);
  for (const [nth, type] of whole.taken.entries()) {
    const { taken, reported, follow } = faulty(nth);
    if (nth <= spawn) {
      t.throws(follow, { message: 'injected' }, type);
    } else {
      t.match(follow(), { state: { child: CHILD } }, type);
      t.match(reported, [{ message: 'injected' }], type);
      t.strictSame(taken, whole.taken, 'all other steps are taken');
    }
  }
});

t.test('where the words fail after the command was started, the life begins without them', async (t) => {
  const speechless: Personality = {
    ...dumbInit,
    voice: () => ({
      spawned: () => {
        throw new Error('injected');
      },
    }),
  };
  const words = ['dumb-init', '-r', '15:2', 'true'];
  const parsed = dumbInit.parse(words, () => undefined, self);
  if (parsed.kind !== 'run') throw new Error(parsed.text);
  const reported: unknown[] = [];
  const take = (step: Step): Answer =>
    step.type === 'spawn' ? { pid: CHILD } : step.type === 'detach' ? { leader: false, early: [] } : undefined;
  const beginning = follow(begin(parsed.options, speechless, { ...self, words }), take, (error) =>
    reported.push(error),
  );
  t.match(beginning, { state: { child: CHILD, target: 'group' } });
  t.equal('state' in beginning && beginning.state.rewrites.get(15), 2);
  t.match(reported, [{ message: 'injected' }]);
});
