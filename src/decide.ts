/**
 * All policy of a running init: what to do about a signal, a dead process or a time that is up. Pure,
 * and without a clock; it could run on paper. The order of the tests and the debug lines are dumb-init
 * 1.2.5's; what the other personalities do otherwise are `rules`.
 */
import { SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGSTOP, SIGTERM, SUSPENDING } from './signals.ts';
import type { Identity, Reason, Voice } from './voice.ts';
import { ending, exitStatus } from './wait-status.ts';

/** What differs between dumb-init and the inits that it can stand in for. */
export interface Rules {
  /** Signals after which we stop ourselves. In setsid mode they reach the command as STOP. */
  readonly suspending: ReadonlySet<number>;
  /** Signals that are passed over. */
  readonly ignored: ReadonlySet<number>;
  /** Signals that we die of, as of a default action. */
  readonly fatal: ReadonlySet<number>;
  /** When the command has ended its process group gets a TERM. */
  readonly terminatesGroup: boolean;
  /** Everybody who is dead is reaped before we exit. */
  readonly drains: boolean;
}

export const DUMB_INIT_RULES: Rules = {
  suspending: SUSPENDING,
  ignored: new Set(),
  fatal: new Set(),
  terminatesGroup: true,
  drains: false,
};

/** What the user asks for. */
export interface Wishes {
  readonly waitAll: boolean;
  readonly killAfter: number | undefined;
  readonly delays: ReadonlyMap<number, number>;
  readonly exitMap: ReadonlyMap<number, number>;
}

/** How the command was started, as far as it matters for what follows. */
export interface Started {
  /** PID of the command; 0: there is none (--pause). */
  readonly child: number;
  readonly setsid: boolean;
  /** Signal to what is forwarded in its place; 0 drops it. */
  readonly rewrites: ReadonlyMap<number, number>;
  /** We led the session whose controlling terminal was given up: HUP and CONT will come of it. */
  readonly detachedAsLeader: boolean;
  /** The lines to write. */
  readonly voice: Voice;
  readonly rules?: Rules;
  readonly wishes?: Wishes;
}

export interface State extends Required<Started> {
  /** Signals go to the child's process group, to the child alone, or to all that is left. */
  readonly target: 'group' | 'process' | 'all';
  /** Signals of the terminal hand-off that are still to come. */
  readonly handoff: readonly number[];
  /** Timers that run. */
  readonly timers: ReadonlySet<TimerId>;
  /** The command has ended. */
  readonly ended: Reason['command'];
  readonly passedOn: number | undefined;
  /** Time was up. */
  readonly forced: boolean;
}

/** A signal that is held back, or the time until all that is left is killed. */
export type TimerId = number | 'force';

export type Event =
  /** `handoff`: sent by the kernel on our own behalf (si_code SI_USER, si_pid our own). */
  | { readonly type: 'signal'; readonly n: number; readonly handoff?: boolean }
  /** `status` as waitpid(2) would write it. The PID stays taken until the event has been dealt with. */
  | { readonly type: 'reaped'; readonly pid: number; readonly status: number; readonly who?: Identity | undefined }
  /** Nobody more to reap now; `childless`: and no child is left. */
  | { readonly type: 'drained'; readonly childless: boolean }
  | { readonly type: 'timeout'; readonly id: TimerId };

export type Action =
  /** `target` as kill(2) takes it: a PID, or a process group negated. */
  | { readonly type: 'kill'; readonly target: number; readonly n: number }
  /** To all that is ours: `target`, all descendants; all of the PID namespace for PID 1. */
  | { readonly type: 'killAll'; readonly target: number; readonly n: number }
  | { readonly type: 'stopSelf' }
  /** Die of a signal. */
  | { readonly type: 'die'; readonly n: number }
  /** Reap until nobody is left to reap; each becomes an event, and so does the end. */
  | { readonly type: 'reap' }
  | { readonly type: 'startTimer'; readonly id: TimerId; readonly ms: number }
  | { readonly type: 'log'; readonly text: string }
  | { readonly type: 'exit'; readonly code: number };

const NO_WISHES: Wishes = { waitAll: false, killAfter: undefined, delays: new Map(), exitMap: new Map() };

export function initialState(started: Started): State {
  const { rules = DUMB_INIT_RULES, setsid, rewrites } = started;
  const defaults = setsid ? [...rules.suspending].map((n) => [n, SIGSTOP] as const) : [];
  return {
    wishes: NO_WISHES,
    ...started,
    rules,
    target: setsid ? 'group' : 'process',
    rewrites: new Map([...defaults, ...rewrites]),
    handoff: started.detachedAsLeader ? [SIGHUP, SIGCONT] : [],
    timers: new Set(),
    ended: undefined,
    passedOn: undefined,
    forced: false,
  };
}

/** @returns the state that follows, and what is to be done, in order */
export function decide(state: State, event: Event): [State, Action[]] {
  switch (event.type) {
    case 'signal':
      return onSignal(state, event.n, event.handoff === true);
    case 'reaped':
      return onReaped(state, event);
    case 'drained':
      return onDrained(state, event.childless);
    case 'timeout':
      return onTimeout(state, event.id);
  }
}

function onSignal(state: State, n: number, ofHandoff: boolean): [State, Action[]] {
  const { voice, rules, wishes } = state;
  const actions = log(voice.received?.(n));
  if (ofHandoff && state.handoff.includes(n)) {
    const handoff = state.handoff.filter((awaited) => awaited !== n);
    return [{ ...state, handoff }, [...actions, ...log(voice.ignoringHandoff?.(n))]];
  }
  if (n === SIGCHLD) return [state, [...actions, { type: 'reap' }]];
  if (rules.fatal.has(n)) return [state, [...actions, { type: 'die', n }]];
  if (rules.ignored.has(n)) return [state, [...actions, ...log(voice.ignoring?.(n))]];
  if (state.child === 0) {
    if (n !== SIGINT && n !== SIGTERM) return [state, actions];
    return [state, [...actions, ...exit({ ...state, passedOn: n })]];
  }
  const delay = wishes.delays.get(n);
  if (delay !== undefined) {
    // Further ones are merged, as a pending signal merges them.
    if (state.timers.has(n)) return [state, [...actions, ...log(voice.merging?.(n))]];
    const [next, timer] = startTimer(state, n, delay);
    return [next, [...actions, ...log(voice.delaying?.(n, delay)), ...timer]];
  }
  const [next, more] = passOn(state, n);
  return [next, actions.concat(more)];
}

function onTimeout(state: State, id: TimerId): [State, Action[]] {
  const next = { ...state, timers: new Set([...state.timers].filter((other) => other !== id)) };
  if (id !== 'force') return passOn(next, id);
  return [{ ...next, forced: true }, [...log(state.voice.forcing?.()), killAll(state, SIGKILL)]];
}

/** A signal that has come from outside and is not held back any longer. */
function passOn(state: State, n: number): [State, Action[]] {
  const actions = forward(state, n);
  if (state.rules.suspending.has(n)) actions.push(...log(state.voice.suspending?.()), { type: 'stopSelf' });
  const next = { ...state, passedOn: n };
  if (n !== SIGTERM) return [next, actions];
  const [later, timer] = startForceTimer(next);
  return [later, [...actions, ...timer]];
}

function onReaped(state: State, { pid, status, who }: Event & { type: 'reaped' }): [State, Action[]] {
  const { voice, wishes, rules } = state;
  const end = ending(status);
  const actions = log(voice.reaped?.(pid, end));
  if (pid !== state.child || state.ended) {
    actions.push(...log(voice.orphan?.(pid, end, who)));
    // Who was started while the others were killed has become our child.
    if (state.forced) actions.push(killAll(state, SIGKILL));
    return [state, actions];
  }
  actions.push(...log(voice.commandEnded?.(end)));
  const ended: State = { ...state, ended: { pid, end, status: exitStatus(end) } };
  if (wishes.waitAll) {
    const rest: State = { ...ended, target: 'all' };
    const [next, timer] = startForceTimer(rest);
    return [next, [...actions, ...forward(rest, SIGTERM), ...log(voice.waiting?.()), ...timer]];
  }
  // The group may have members left; the process itself is gone, and its PID may be anybody's.
  if (rules.terminatesGroup)
    actions.push(...forward(state, SIGTERM).filter(({ type }) => type !== 'kill' || state.target === 'group'));
  return [ended, rules.drains ? actions : [...actions, ...exit(ended)]];
}

function onDrained(state: State, childless: boolean): [State, Action[]] {
  const actions = log(state.voice.drained?.(childless));
  const over = state.ended && (childless || !state.wishes.waitAll);
  return [state, over ? [...actions, ...exit(state)] : actions];
}

function forward(state: State, received: number): Action[] {
  const { voice } = state;
  const rewritten = state.rewrites.get(received);
  const n = rewritten ?? received;
  const actions = rewritten === undefined ? [] : log(voice.translating?.(received, n));
  if (n === 0) return actions.concat(log(voice.notForwarding?.(n)));
  const target = state.target === 'group' ? -state.child : state.child;
  const kill: Action = state.target === 'all' ? killAll(state, n) : { type: 'kill', target, n };
  return actions.concat(kill, log(voice.forwarded?.(n))); // of less garbage than a spread
}

/** The process group of the command counts only while the command keeps its number from being anybody else's. */
function killAll(state: State, n: number): Action {
  return { type: 'killAll', target: state.ended ? 0 : state.setsid ? -state.child : state.child, n };
}

function startForceTimer(state: State): [State, Action[]] {
  const { killAfter } = state.wishes;
  return killAfter === undefined || state.forced ? [state, []] : startTimer(state, 'force', killAfter);
}

/** One that runs already goes on as it is. */
function startTimer(state: State, id: TimerId, ms: number): [State, Action[]] {
  if (state.timers.has(id)) return [state, []];
  return [{ ...state, timers: new Set([...state.timers, id]) }, [{ type: 'startTimer', id, ms }]];
}

function exit({ voice, ended: command, wishes, passedOn, forced }: State): Action[] {
  const own = command?.status ?? 0;
  const code = wishes.exitMap.get(own) ?? own;
  const reason = { status: code, command, passedOn, forced };
  return [...(command ? log(voice.goodbye?.(own)) : []), ...log(voice.exiting?.(reason)), { type: 'exit', code }];
}

function log(text: string | undefined): Action[] {
  return text === undefined ? [] : [{ type: 'log', text }];
}
