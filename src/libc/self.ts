/** This process: what it is, and how it stops, moves and ends. A failure is `-errno`; nothing here throws. */
import { PR_SET_PDEATHSIG, SIG_DFL } from '../abi.ts';
import { ALL_SIGNALS, SIGCONT, SIGSTOP } from '../signals.ts';
import { kill } from './children.ts';
import { cString, declare, declarePointer } from './ffi.ts';
import { numbersIn } from './proc.ts';
import { record } from './record.ts';
import { isPending, signalSet } from './signal-source.ts';

const libcExit = declare('_exit', 'int');
const libcGetppid = declare('getppid');
const libcGetsid = declare('getsid', 'int');
const libcChdir = declare('chdir', 'pointer');
const libcClose = declare('close', 'int');
const libcCloseRange = declare('close_range', 'int', 'int', 'int');
const libcPrctl = declare('prctl', 'int', 'int');
const libcSignal = declarePointer('signal', 'int', 'pointer');
const libcSigsuspend = declare('sigsuspend', 'pointer');

/** Whether this process leads its session (getsid(2)). */
export function leadsSession(): boolean {
  return libcGetsid(0) === record().pid;
}

/** This signal comes when our parent dies (PR_SET_PDEATHSIG(2const)), or now if it has died since we began. */
export function setParentDeathSignal(n: number): void {
  libcPrctl(PR_SET_PDEATHSIG, n);
  const { pid, parent } = record();
  if (libcGetppid() !== parent) kill(pid, n);
}

const root = cString('/');

/** Leaves the working directory for `/`, so that dumb-init pins no mount. @returns 0 or -errno */
export function chdirToRoot(): number {
  return libcChdir(root.address);
}

/** Closes what was inherited beyond standard error. Before Linux 5.9 that takes /proc. */
export function closeInherited(): void {
  if (libcCloseRange(3, -1, 0) === 0) return;
  for (const fd of numbersIn('/proc/self/fd')) if (fd > 2) libcClose(fd);
}

/**
 * Stops this process until a SIGCONT. PID 1 can't stop itself. Sending STOP drops a pending CONT
 * (signal(7)), so if one has come meanwhile the stop is over already.
 */
export function stopSelf(): void {
  const ownPid = record().pid;
  if (ownPid !== 1 && !isPending(SIGCONT)) kill(ownPid, SIGSTOP);
}

/** Dies of a signal, as by its default action. PID 1 does not: the kernel drops the signal. */
export function dieOf(n: number): void {
  const ownPid = record().pid;
  if (ownPid === 1) return;
  libcSignal(n, BigInt(SIG_DFL));
  kill(ownPid, n);
  libcSigsuspend(signalSet(ALL_SIGNALS.filter((other) => other !== n)).address); // which lets it in
}

/** Ends the process at once: no exit handler runs, so Node does not touch the terminal's settings. */
export function exit(code: number): never {
  for (;;) libcExit(code);
}
