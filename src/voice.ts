/** What may be said of an init's work. Each program that dumb-init can be says some of it, in its own words. */
import type { Ending } from './wait-status.ts';

/** What the kernel knows of a process that has ended and is not reaped yet. */
export interface Identity {
  readonly name: string;
  readonly group: number;
  readonly session: number;
}

/** Why we exit. */
export interface Reason {
  readonly status: number;
  /** The command, with its own status; undefined: there was none (--pause). */
  readonly command: { readonly pid: number; readonly end: Ending; readonly status: number } | undefined;
  /** The last signal that came from outside. */
  readonly passedOn: number | undefined;
  readonly forced: boolean;
}

/** Lines, by what they tell; a line that is not there is not written. */
export type Voice = Partial<{
  // The start
  debugMode(): string | undefined;
  notSetsidMode(): string | undefined;
  cannotDetach(errno: number, strerror: string): string | undefined;
  detached(): string | undefined;
  detachedNotLeader(): string | undefined;
  cannotAttach(errno: number, strerror: string): string | undefined;
  setsidComplete(): string | undefined;
  subreaper(): string | undefined;
  /** Neither PID 1 nor a subreaper. */
  notReaper(): string | undefined;
  cannotOpenTerminal(strerror: string): string | undefined;
  noTerminal(errno: number, strerror: string): string | undefined;
  spawned(pid: number, file: string): string | undefined;
  cannotChdir(errno: number, strerror: string): string | undefined;

  // The loop
  received(n: number): string | undefined;
  ignoringHandoff(n: number): string | undefined;
  ignoring(n: number): string | undefined;
  delaying(n: number, ms: number): string | undefined;
  merging(n: number): string | undefined;
  translating(from: number, to: number): string | undefined;
  forwarded(n: number): string | undefined;
  notForwarding(n: number): string | undefined;
  suspending(): string | undefined;
  /** Any dead process. */
  reaped(pid: number, end: Ending): string | undefined;
  /** A dead process that is not the command. */
  orphan(pid: number, end: Ending, who: Identity | undefined): string | undefined;
  commandEnded(end: Ending): string | undefined;
  /** Nobody more to reap now; `childless`: and no child is left. */
  drained(childless: boolean): string | undefined;
  waiting(): string | undefined;
  forcing(): string | undefined;
  goodbye(status: number): string | undefined;
  exiting(reason: Reason): string | undefined;
}>;
