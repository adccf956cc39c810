/** The numbers of signals, and commands that print the signals they get (test/fixtures/signals.c). */
import { constants } from 'node:os';
import { fixture, type Running, waitUntil } from './processes.ts';

export const {
  SIGHUP: HUP,
  SIGINT: INT,
  SIGQUIT: QUIT,
  SIGKILL: KILL,
  SIGUSR1: USR1,
  SIGPIPE: PIPE,
  SIGTERM: TERM,
  SIGCHLD: CHLD,
  SIGCONT: CONT,
  SIGSTOP: STOP,
  SIGTSTP: TSTP,
  SIGTTIN: TTIN,
  SIGTTOU: TTOU,
  SIGWINCH: WINCH,
} = constants.signals;

export const SIGNALS = fixture('signals');

/** The signals that have been printed until now. */
export function printedSignals({ stdout }: Running): number[] {
  return stdout()
    .replaceAll(/\^[CZ]/g, '') // the echo of a terminal
    .split(/\r?\n/)
    .filter((line) => /^\d+$/.test(line))
    .map(Number);
}

/** Waits until these signals have been printed, as the first ones and in this order. */
export function printsSignals(running: Running, signals: readonly number[]): Promise<void> {
  return waitUntil(
    () => signals.every((n, i) => printedSignals(running)[i] === n),
    () => `signals ${signals} in the output, which ends with: ${(running.stdout() + running.stderr()).slice(-2000)}`,
  );
}
