/** System calls on processes and on standard error. A failure is `-errno`; nothing here throws. */
import { SIGCHLD, SIGCONT, SIGPIPE, SIGSTOP, SIGXFSZ } from '../signals.ts';
import {
  CLD_DUMPED,
  CLD_EXITED,
  EFBIG,
  EINTR,
  EPIPE,
  P_ALL,
  SI_CODE_OFFSET,
  SI_PID_OFFSET,
  SI_STATUS_OFFSET,
  SIZEOF_SIGINFO_T,
  TIOCNOTTY,
  WEXITED,
  WNOHANG,
  WNOWAIT,
} from './abi.ts';
import { allocate, cString, declare } from './ffi.ts';
import { isPending, pendingSignal, signalSet } from './signal-source.ts';

const libcWrite = declare('write', 'int', 'pointer', 'pointer');
const libcExit = declare('_exit', 'int');
const libcIoctl = declare('ioctl', 'int', 'pointer', 'pointer');
const libcWaitid = declare('waitid', 'int', 'int', 'pointer', 'int');
const libcWaitpid = declare('waitpid', 'int', 'pointer', 'int');
const libcChdir = declare('chdir', 'pointer');
const libcClose = declare('close', 'int');
const libcGetsid = declare('getsid', 'int');
const libcGetpid = declare('getpid');

/** kill(2). */
export const kill = declare('kill', 'int', 'int');

/** close(2). */
export const close = (fd: number): number => libcClose(fd);

const info = allocate(SIZEOF_SIGINFO_T);
const field = (offset: number) => info.bytes.readInt32LE(offset);

/**
 * The next dead process, whoever it is: its PID and wait status, or undefined when there is none now.
 * It stays a zombie until it is buried, so that neither its PID nor its group's is anybody else's.
 */
export function nextDead(): { pid: number; status: number } | undefined {
  let error: number;
  do error = libcWaitid(P_ALL, 0, info.address, WEXITED | WNOHANG | WNOWAIT);
  while (error === -EINTR);
  const pid = field(SI_PID_OFFSET);
  const code = field(SI_CODE_OFFSET);
  const value = field(SI_STATUS_OFFSET);
  const status = code === CLD_EXITED ? (value & 0xff) << 8 : value | (code === CLD_DUMPED ? 0x80 : 0);
  info.bytes.fill(0); // a call that fails leaves it as it was
  return pid > 0 ? { pid, status } : undefined;
}

/** Reaps a dead process. */
export function bury(pid: number): void {
  let result: number;
  do result = libcWaitpid(pid, 0n, WNOHANG);
  while (result === -EINTR);
}

const sigchld = signalSet([SIGCHLD]);

/** Takes the CHLD off the queue that came of a child which is reaped already, unless others are still to be reaped. */
export function dropChildSignal(): void {
  if (!pendingSignal(sigchld)) return;
  if (nextDead()) kill(ownPid, SIGCHLD);
}

/** Our own PID. */
export const ownPid: number = libcGetpid();

/**
 * Stops this process until a SIGCONT. PID 1 can't stop itself. Sending STOP drops a pending CONT
 * (signal(7)), so if one has come meanwhile the stop is over already.
 */
export function stopSelf(): void {
  if (ownPid !== 1 && !isPending(SIGCONT)) kill(ownPid, SIGSTOP);
}

/** Whether this process leads its session. */
export function leadsSession(): boolean {
  return libcGetsid(0) === ownPid;
}

/** Gives up the controlling terminal, if it is the one on fd 0 (ioctl_tty(2), TIOCNOTTY). */
export function detachFromTerminal(): number {
  return libcIoctl(0, BigInt(TIOCNOTTY), 0n);
}

const root = cString('/');

/** Leaves the working directory for `/`, so that dumb-init pins no mount. */
export function chdirToRoot(): number {
  return libcChdir(root.address);
}

const CHUNK = 4096;
const chunk = allocate(CHUNK);
/** What a failed write queues for this thread. No one sent it: it must not be forwarded. */
const ofFailedWrite = new Map([
  [-EPIPE, signalSet([SIGPIPE])],
  [-EFBIG, signalSet([SIGXFSZ])],
]);

/** Writes bytes (latin1) to standard error. What can't be written is dropped. */
export function writeError(text: string): void {
  for (let start = 0; start < text.length; start += CHUNK) {
    const length = chunk.bytes.write(text.slice(start, start + CHUNK), 'latin1');
    for (let done = 0; done < length; ) {
      const n = libcWrite(2, chunk.address + BigInt(done), BigInt(length - done));
      const queued = ofFailedWrite.get(n);
      if (queued) pendingSignal(queued);
      if (n <= 0) return;
      done += n;
    }
  }
}

/** Ends the process at once: no exit handler runs, so Node does not touch the terminal's settings. */
export function exit(code: number): never {
  for (;;) libcExit(code);
}
