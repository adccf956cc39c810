/** What may be said of an init's work. Each program that dumb-init can be says some of it, in its own words. */
import type { Ending } from './wait-status.ts';

/** What happened, for programs that read the log as JSON (docs/log.schema.json). Strings are bytes as latin1. */
export interface Fields {
  readonly event: string;
  readonly [name: string]: string | number | boolean | undefined;
}

/** A line with its end, bytes as latin1. It is for standard error, unless it says that it is for standard output. */
export type Line = string | { readonly text: string; readonly fields?: Fields; readonly stdout?: true };

export const textOf = (line: Line): string => (typeof line === 'string' ? line : line.text);

/** Why a system call failed: errno, and what strerror(3) says of it. */
export interface Failure {
  readonly errno: number;
  readonly text: string;
}

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
  debugMode(): Line | undefined;
  notSetsidMode(): Line | undefined;
  cannotDetach(failure: Failure): Line | undefined;
  detached(): Line | undefined;
  detachedNotLeader(): Line | undefined;
  cannotAttach(failure: Failure): Line | undefined;
  setsidComplete(): Line | undefined;
  subreaper(): Line | undefined;
  /** Neither PID 1 nor a subreaper. */
  notReaper(): Line | undefined;
  cannotOpenTerminal(failure: Failure): Line | undefined;
  noTerminal(failure: Failure): Line | undefined;
  spawned(pid: number, file: string): Line | undefined;
  cannotChdir(failure: Failure): Line | undefined;

  // The loop
  received(n: number): Line | undefined;
  ignoringHandoff(n: number): Line | undefined;
  ignoring(n: number): Line | undefined;
  delaying(n: number, ms: number): Line | undefined;
  merging(n: number): Line | undefined;
  translating(from: number, to: number): Line | undefined;
  forwarded(n: number): Line | undefined;
  notForwarding(n: number): Line | undefined;
  suspending(): Line | undefined;
  /** Any dead process. */
  reaped(pid: number, end: Ending): Line | undefined;
  /** A dead process that is not the command. */
  orphan(pid: number, end: Ending, who: Identity | undefined): Line | undefined;
  commandEnded(end: Ending): Line | undefined;
  /** Nobody more to reap now; `childless`: and no child is left. */
  drained(childless: boolean): Line | undefined;
  waiting(): Line | undefined;
  forcing(): Line | undefined;
  goodbye(status: number): Line | undefined;
  exiting(reason: Reason): Line | undefined;
}>;
