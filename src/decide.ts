/**
 * All policy of a running init: what to do about a signal or a dead process. Pure; it could run on
 * paper. The order of the tests and the debug lines are dumb-init 1.2.5's.
 */
import * as messages from './messages.ts';
import { SIGCHLD, SIGCONT, SIGHUP, SIGNALS, SIGSTOP, SIGTERM, SUSPENDING } from './signals.ts';
import { ending, exitStatus } from './wait-status.ts';

export interface State {
  /** PID of the command. */
  readonly child: number;
  /** Signals go to the child's process group (setsid mode) or to the child alone. */
  readonly target: 'group' | 'process';
  readonly verbose: boolean;
  /** Signal to what is forwarded in its place; 0 drops it. */
  readonly rewrites: ReadonlyMap<number, number>;
  /** Signals of the terminal hand-off that are still to come. */
  readonly handoff: readonly number[];
}

export type Event =
  /** `handoff`: sent by the kernel on our own behalf (si_code SI_USER, si_pid our own). */
  | { readonly type: 'signal'; readonly n: number; readonly handoff?: boolean }
  /** `status` as waitpid(2) would write it. The PID stays taken until the event has been dealt with. */
  | { readonly type: 'reaped'; readonly pid: number; readonly status: number };

export type Action =
  /** `target` as kill(2) takes it: a PID, or a process group negated. */
  | { readonly type: 'kill'; readonly target: number; readonly n: number }
  | { readonly type: 'stopSelf' }
  /** Reap until nobody is left to reap; each becomes an event. */
  | { readonly type: 'reap' }
  | { readonly type: 'log'; readonly text: string }
  | { readonly type: 'exit'; readonly code: number };

/** How the command was started, as far as it matters for what follows. */
export interface Started {
  child: number;
  setsid: boolean;
  verbose: boolean;
  rewrites: ReadonlyMap<number, number>;
  /** We led the session whose controlling terminal was given up: HUP and CONT will come of it. */
  detachedAsLeader: boolean;
}

export function initialState({ child, setsid, verbose, rewrites, detachedAsLeader }: Started): State {
  const defaults = setsid ? SIGNALS.filter(({ suspends }) => suspends).map(({ n }) => [n, SIGSTOP] as const) : [];
  return {
    child,
    target: setsid ? 'group' : 'process',
    verbose,
    rewrites: new Map([...defaults, ...rewrites]),
    handoff: detachedAsLeader ? [SIGHUP, SIGCONT] : [],
  };
}

/** @returns the state that follows, and what is to be done, in order */
export function decide(state: State, event: Event): [State, Action[]] {
  return event.type === 'signal' ? onSignal(state, event.n, event.handoff === true) : onReaped(state, event);
}

function onSignal(state: State, n: number, ofHandoff: boolean): [State, Action[]] {
  const actions = log(state, messages.received(n));
  if (ofHandoff && state.handoff.includes(n)) {
    const handoff = state.handoff.filter((awaited) => awaited !== n);
    return [{ ...state, handoff }, [...actions, ...log(state, messages.ignoringHandoff(n))]];
  }
  if (n === SIGCHLD) return [state, [...actions, { type: 'reap' }]];
  actions.push(...forward(state, n));
  if (SUSPENDING.has(n)) actions.push(...log(state, messages.suspending()), { type: 'stopSelf' });
  return [state, actions];
}

function onReaped(state: State, { pid, status }: { pid: number; status: number }): [State, Action[]] {
  const end = ending(status);
  const text = end.kind === 'exited' ? messages.childExited(pid, end.code) : messages.childKilled(pid, end.signal);
  const actions = log(state, text);
  if (pid === state.child) {
    const code = exitStatus(end);
    // The group may have members left; the process itself is gone, and its PID may be anybody's.
    actions.push(...forward(state, SIGTERM).filter(({ type }) => type !== 'kill' || state.target === 'group'));
    actions.push(...log(state, messages.goodbye(code)), { type: 'exit', code });
  }
  return [state, actions];
}

function forward(state: State, received: number): Action[] {
  const rewritten = state.rewrites.get(received);
  const n = rewritten ?? received;
  const actions = rewritten === undefined ? [] : log(state, messages.translating(received, n));
  if (n === 0) return [...actions, ...log(state, messages.notForwarding(n))];
  const target = state.target === 'group' ? -state.child : state.child;
  return [...actions, { type: 'kill', target, n }, ...log(state, messages.forwarded(n))];
}

function log(state: State, text: string): Action[] {
  return state.verbose ? [{ type: 'log', text }] : [];
}
