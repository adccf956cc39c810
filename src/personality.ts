/** The inits that dumb-init can be, by the name it is called by: a table, for all of them share one program. */
import type { Rules } from './decide.ts';
import type { ExecStatuses } from './libc/spawn.ts';
import type { Environment, Options, Parsed } from './options.ts';
import { catatonit } from './personalities/catatonit.ts';
import { dumbInit } from './personalities/dumb-init.ts';
import { tini } from './personalities/tini.ts';
import type { Voice } from './voice.ts';

/** What texts need of the running process. */
export interface Self {
  readonly pid: number;
  /** strsignal(3). */
  readonly describe: (n: number) => string;
}

export interface Personality {
  /** The last part of argv[0]. */
  readonly names: readonly string[];
  parse(argv: readonly string[], environment: Environment, self: Self): Parsed;
  voice(options: Options, self: Self): Voice;
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
  /** Where a line is written. */
  stream(line: string): 1 | 2;
  cannotFork(self: Self, strerror: string): string;
  cannotExecute(self: Self, file: string, strerror: string): string;
  /** Statuses with which the command's process ends if it can't execute the command. */
  execStatuses(options: Options): ExecStatuses;
  foregroundFailed?(self: Self, strerror: string): string;
}

const OTHERS: readonly Personality[] = [tini, catatonit];

export function personalityOf(argv0: string): Personality {
  const name = argv0.slice(argv0.lastIndexOf('/') + 1);
  return OTHERS.find(({ names }) => names.includes(name)) ?? dumbInit;
}
