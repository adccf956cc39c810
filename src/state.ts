/** What a running init knows, what can happen to it, and what it can do: the words in which decide.ts speaks. */
import { SIGCONT, SIGHUP, SIGSTOP, SUSPENDING } from './signals.ts';
import type { Identity, Line, Reason, Voice } from './voice.ts';

/** What differs between dumb-init and the inits that it can stand in for. */
export interface Rules {
  /** Signals after which we stop ourselves. They reach a process group as STOP. */
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
  /** Signal that stops the container to the milliseconds after it until all that is left is killed. */
  readonly killAfter: ReadonlyMap<number, number>;
  readonly delays: ReadonlyMap<number, number>;
  readonly exitMap: ReadonlyMap<number, number>;
}

/** How the command was started, as far as it matters for what follows. */
export interface Started {
  /** PID of the command; 0: there is none (--pause). */
  readonly child: number;
  /** Signals go to the command's process group, or to the command alone. */
  readonly target: 'group' | 'process';
  /** Signal to what is forwarded in its place; 0 drops it. */
  readonly rewrites: ReadonlyMap<number, number>;
  /** We led the session whose controlling terminal was given up: HUP and CONT will come of it. */
  readonly detachedAsLeader: boolean;
  /** The lines to write. */
  readonly voice: Voice;
  readonly rules?: Rules;
  readonly wishes?: Wishes;
}

export interface State extends Omit<Required<Started>, 'target'> {
  /** As it was started, or all that is left. */
  readonly target: Started['target'] | 'all';
  /** The command has a process group to which signals go. */
  readonly grouped: boolean;
  /** Signals of the terminal hand-off that are still to come. */
  readonly handoff: readonly number[];
  /** Timers that run. */
  readonly timers: ReadonlySet<TimerId>;
  /** The command has ended. */
  readonly ended: Reason['command'];
  readonly passedOn: number | undefined;
  /** Time was up. */
  readonly forced: boolean;
  /** Without a command: everybody was told to stop, and is waited for. */
  readonly leaving: boolean;
}

/**
 * A signal that is held back; the time until all that is left is killed; or the time after which the start is over
 * and memory that it needed is given back.
 */
export type TimerId = number | 'force' | 'settled';

export type Event =
  /** `handoff`: sent by the kernel on our own behalf (si_code SI_USER, si_pid our own). */
  | { readonly type: 'signal'; readonly n: number; readonly handoff?: boolean }
  /** `status` as waitpid(2) would write it. The PID stays taken until the dead process is buried. */
  | { readonly type: 'died'; readonly pid: number; readonly status: number; readonly who?: Identity | undefined }
  /** Nobody more to reap now; `childless`: and no child is left. */
  | { readonly type: 'drained'; readonly childless: boolean }
  | { readonly type: 'timeout'; readonly id: TimerId };

export type Action =
  /**
   * `target` as kill(2) takes it: a PID, or a process group negated. `toStop`: it is told to stop, which is to be told
   * once, and a stopped process is to go on for it.
   */
  | { readonly type: 'kill'; readonly target: number; readonly n: number; readonly toStop?: true }
  /** To all that is ours: `target`, all descendants; all of the PID namespace for PID 1. */
  | { readonly type: 'killAll'; readonly target: number; readonly n: number; readonly toStop?: true }
  /** Some of those that were killed are gone: whoever has turned up is killed too. */
  | { readonly type: 'killRest'; readonly target: number }
  | { readonly type: 'stopSelf' }
  /** Die of a signal. */
  | { readonly type: 'die'; readonly n: number }
  /** The next events are the dead, one by one, and then that there is none. */
  | { readonly type: 'reap' }
  /** Take a dead process from the kernel's table: its PID may be anybody's from now on. */
  | { readonly type: 'bury'; readonly pid: number }
  | { readonly type: 'startTimer'; readonly id: TimerId; readonly ms: number }
  | { readonly type: 'giveBackMemory' }
  | { readonly type: 'log'; readonly line: Line }
  | { readonly type: 'exit'; readonly code: number };

const NO_WISHES: Wishes = { waitAll: false, killAfter: new Map(), delays: new Map(), exitMap: new Map() };

/** How a life begins. */
export function initialState(started: Started): State {
  const { rules = DUMB_INIT_RULES, target, rewrites } = started;
  const defaults = target === 'group' ? [...rules.suspending].map((n) => [n, SIGSTOP] as const) : [];
  return {
    wishes: NO_WISHES,
    ...started,
    rules,
    grouped: target === 'group',
    rewrites: new Map([...defaults, ...rewrites]),
    handoff: started.detachedAsLeader ? [SIGHUP, SIGCONT] : [],
    timers: new Set(),
    ended: undefined,
    passedOn: undefined,
    forced: false,
    leaving: false,
  };
}
