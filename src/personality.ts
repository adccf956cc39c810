/** An init that dumb-init can be. The table of them is personalities/index.ts: all of them share one program. */

import type { Environment, Options, Parsed } from './options.ts';
import type { Rules } from './state.ts';
import type { Failure, Line, Voice } from './voice.ts';

/** What texts need of the running process. */
export interface Self {
  readonly pid: number;
  /** strsignal(3). */
  readonly describe: (n: number) => string;
}

/** Exit statuses of the command's process if it can't execute the command. */
export interface ExecStatuses {
  readonly notFound: number;
  readonly denied: number;
  readonly other: number;
}

/**
 * @typeParam O what its command line is read into
 */
export interface Personality<O extends Options = Options> {
  /** The last part of argv[0]. */
  readonly names: readonly string[];
  parse(argv: readonly string[], environment: Environment, self: Self): Parsed<O>;
  voice(options: O, self: Self): Voice;
  readonly rules: Rules;
  /** The command's process group gets this terminal, in our session; undefined: a session of its own, or nothing. */
  readonly foreground?: 'standard input' | '/dev/tty';
  /** Errors of tcsetpgrp that mean that there is no terminal. Any other is the end. */
  readonly noTerminal?: readonly number[];
  /** Signals that are blocked for the command, beside those that it inherits so. */
  readonly blocked?: readonly number[];
  /** Puts the command's PID into LISTEN_PID where its own stands there (sd_listen_fds(3)). */
  readonly passesListenPid?: boolean;
  /** Changes to `/` when the command runs. */
  readonly leavesFolder: boolean;
  /** Closes the files that were inherited when the command runs. */
  readonly closesFiles: boolean;
  /** Looks at the dead before they are reaped (/proc/PID/stat), to say who they were. */
  readonly namesOrphans: boolean;
  cannotFork(self: Self, failure: Failure): Line;
  cannotExecute(self: Self, file: string, failure: Failure): Line;
  /** Statuses with which the command's process ends if it can't execute the command. */
  execStatuses(options: Options): ExecStatuses;
  foregroundFailed?(self: Self, failure: Failure): Line;
}
