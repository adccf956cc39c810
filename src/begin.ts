/**
 * The beginning on paper: from options to a running command. `begin` yields one step after the other and gets the
 * answer of each; who runs the steps is another matter. perform.ts does for a container; --explain, the tests and the
 * soak give answers of their own (`follow`).
 */
import * as messages from './messages.ts';
import type { Options } from './options.ts';
import type { ExecStatuses, Personality, Self } from './personality.ts';
import { type Event, initialState, type Started, type State } from './state.ts';
import type { Failure, Line, Voice } from './voice.ts';

/** What is known before the first step. */
export interface Facts extends Self {
  /** The words of the command line. */
  readonly words: readonly string[];
}

/** How the command is started. */
export interface Command {
  readonly file: string;
  /** Its words, as places in the command line: those at `operands`, or all from `first` on. */
  readonly first: number;
  readonly operands: readonly number[] | undefined;
  /** With a session of its own, to which it takes the terminal on fd 0 if it may. */
  readonly session: 'none' | 'own' | 'own, with the terminal';
  /** With a process group of its own in our session, which comes to the foreground of a terminal. */
  readonly foreground: Personality['foreground'] | undefined;
  /** Errors of tcsetpgrp(3) that mean that there is no terminal; any other is the end. */
  readonly noTerminal: readonly number[];
  /** Signals that are blocked for it, beside those that the caller blocks if `keepIgnored`. */
  readonly blocked: readonly number[];
  /** What the caller ignores it ignores too; otherwise it begins with the standard signals at their default. */
  readonly keepIgnored: boolean;
  /** Where LISTEN_PID is ours, it becomes the command's (sd_listen_fds(3)). */
  readonly passesListenPid: boolean;
  readonly statuses: ExecStatuses;
}

/** The command's process, and each failure of what it did until its exec, or its end. */
export interface Spawned {
  readonly pid: number;
  readonly setsid?: Failure | undefined;
  readonly takeTerminal?: Failure | undefined;
  readonly openTerminal?: Failure | undefined;
  readonly comeToForeground?: Failure | undefined;
  readonly exec?: Failure | undefined;
}

/** What came of giving up the terminal. */
export interface Detached {
  readonly failure?: Failure | undefined;
  /** We led the session that it controlled. */
  readonly leader: boolean;
  /** The signals that the kernel has sent for it, taken off the queue. */
  readonly early: readonly Event[];
}

export type Step =
  | { readonly type: 'say'; readonly line: Line }
  | { readonly type: 'setParentDeathSignal'; readonly n: number }
  | { readonly type: 'becomeSubreaper' }
  /** Whether orphans become our children. */
  | { readonly type: 'askWhetherReaper' }
  /** Give up the controlling terminal, for the session of the command. */
  | { readonly type: 'detach' }
  /** `started`: how the life goes on, but for the command's PID, if no later step can be taken. */
  | { readonly type: 'spawn'; readonly command: Command; readonly started: Started }
  /** Change to `/`. */
  | { readonly type: 'leaveFolder' }
  /** Close what was inherited beyond standard error. */
  | { readonly type: 'closeFiles' };

/** The answer to each step. */
export interface Answers {
  say: undefined;
  setParentDeathSignal: undefined;
  becomeSubreaper: undefined;
  askWhetherReaper: boolean;
  detach: Detached;
  spawn: Spawned | Failure;
  leaveFolder: Failure | undefined;
  closeFiles: undefined;
}
export type Answer = Answers[Step['type']];

/** A life, with what has happened already; or an exit status, where it could not begin. */
export type Beginning = { readonly state: State; readonly early: readonly Event[] } | { readonly status: number };

type Steps<T> = Generator<Step, T, Answer>;

/** Takes a step. @returns its answer */
function* take<S extends Step>(step: S): Steps<Answers[S['type']]> {
  return (yield step) as Answers[S['type']];
}

function* say(line: Line | undefined): Steps<void> {
  if (line !== undefined) yield { type: 'say', line };
}

/**
 * The order of the steps is 1.2.5's; parent's and child's lines, which come in any order there, come as the child's
 * first.
 */
export function* begin(options: Options, personality: Personality, facts: Facts): Steps<Beginning> {
  const { fromEnvironment, singleChild, noTtyHandoff } = options;
  const voice = personality.voice(options, facts);
  if (fromEnvironment.debug) yield* say(voice.debugMode?.());
  if (fromEnvironment.noSetsid) yield* say(voice.notSetsidMode?.());
  if (options.parentDeathSignal !== 0) yield { type: 'setParentDeathSignal', n: options.parentDeathSignal };
  if (options.subreaper) {
    yield { type: 'becomeSubreaper' };
    yield* say(voice.subreaper?.());
  }
  if (voice.notReaper && !(yield* take({ type: 'askWhetherReaper' }))) yield* say(voice.notReaper());

  const started: Started = {
    child: 0,
    target: singleChild ? 'process' : 'group',
    rewrites: options.rewrites,
    detachedAsLeader: false,
    voice,
    rules: personality.rules,
    wishes: options,
  };
  if (options.pause) {
    if (personality.leavesFolder) yield { type: 'leaveFolder' };
    if (personality.closesFiles) yield { type: 'closeFiles' };
    return { state: initialState(started), early: [] };
  }

  const ownSession = personality.foreground === undefined && !singleChild;
  const { leader, early } = ownSession && !noTtyHandoff ? yield* leaveTerminal(voice) : { leader: false, early: [] };
  const command: Command = {
    file: facts.words[options.command] ?? '',
    first: options.command,
    operands: options.operands,
    session: !ownSession ? 'none' : noTtyHandoff ? 'own' : 'own, with the terminal',
    foreground: personality.foreground,
    noTerminal: personality.noTerminal ?? [],
    blocked: personality.blocked ?? [],
    keepIgnored: options.keepIgnored,
    passesListenPid: personality.passesListenPid === true,
    statuses: personality.execStatuses(options),
  };
  const spawned = yield* take({ type: 'spawn', command, started });
  if (!('pid' in spawned)) {
    yield* say(personality.cannotFork(facts, spawned));
    return { status: 1 };
  }
  for (const line of childLines(spawned, command, options, personality, facts)) yield* say(line);
  yield* say(voice.spawned?.(spawned.pid, command.file));
  if (personality.leavesFolder) {
    const failure = yield* take({ type: 'leaveFolder' });
    if (failure) yield* say(voice.cannotChdir?.(failure));
  }
  if (personality.closesFiles) yield { type: 'closeFiles' };
  return { state: initialState({ ...started, child: spawned.pid, detachedAsLeader: leader }), early };
}

/** Gives up the controlling terminal. */
function* leaveTerminal(voice: Voice): Steps<Detached> {
  const detached = yield* take({ type: 'detach' });
  const { failure, leader } = detached;
  if (failure) yield* say(voice.cannotDetach?.(failure));
  else yield* say(leader ? voice.detached?.() : voice.detachedNotLeader?.());
  return detached;
}

/** What the child would have said of what it did until its exec, or its end. */
function* childLines(
  { pid, setsid, takeTerminal, openTerminal, comeToForeground, exec }: Spawned,
  { file, session, noTerminal }: Command,
  options: Options,
  personality: Personality,
  { describe }: Facts,
): Generator<Line | undefined> {
  const self = { pid, describe };
  const voice = personality.voice(options, self);
  if (setsid) return yield messages.cannotSetsid(setsid);
  if (takeTerminal) yield voice.cannotAttach?.(takeTerminal);
  if (session !== 'none') yield voice.setsidComplete?.();
  if (openTerminal) yield voice.cannotOpenTerminal?.(openTerminal);
  if (comeToForeground && !noTerminal.includes(comeToForeground.errno)) {
    return yield personality.foregroundFailed?.(self, comeToForeground);
  }
  if (comeToForeground) yield voice.noTerminal?.(comeToForeground);
  if (exec) yield personality.cannotExecute(self, file, exec);
}

/**
 * Follows the steps to their end. From the step on by which the command runs, an error is reported and the work goes
 * on: a step that fails has no answer, and where the rest of the steps is lost the life begins without them.
 *
 * @param take takes a step, and gives its answer
 * @param report is told of an error
 */
export function follow(
  steps: Steps<Beginning>,
  take: (step: Step) => Answer,
  report: (error: unknown) => void,
): Beginning {
  let answer: Answer;
  let life: State | undefined;
  for (;;) {
    let next: IteratorResult<Step, Beginning>;
    try {
      next = steps.next(answer);
    } catch (error) {
      if (!life) throw error;
      report(error);
      return { state: life, early: [] };
    }
    if (next.done) return next.value;
    const step = next.value;
    try {
      answer = take(step);
    } catch (error) {
      if (!life) throw error;
      report(error);
      answer = undefined;
    }
    if (step.type === 'spawn' && answer && typeof answer === 'object' && 'pid' in answer) {
      life = initialState({ ...step.started, child: answer.pid });
    }
  }
}
