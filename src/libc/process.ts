/** System calls on processes and on standard error. A failure is `-errno`; nothing here throws. */
import { SIGCHLD, SIGPIPE, SIGSTOP } from '../signals.ts';
import { EPIPE, P_ALL, SI_PID_OFFSET, SIZEOF_SIGINFO_T, TIOCNOTTY, WEXITED, WNOHANG, WNOWAIT } from './abi.ts';
import { allocate, cString, declare } from './ffi.ts';
import { pendingSignal, signalSet } from './signal-source.ts';

const libcWrite = declare('write', 'int', 'pointer', 'pointer');
const libcExit = declare('_exit', 'int');
const libcIoctl = declare('ioctl', 'int', 'pointer', 'pointer');
const libcWaitpid = declare('waitpid', 'int', 'pointer', 'int');
const libcChdir = declare('chdir', 'pointer');
const libcClose = declare('close', 'int');
const libcGetsid = declare('getsid', 'int');
const libcGetpid = declare('getpid');

/** kill(2). */
export const kill = declare('kill', 'int', 'int');

/** close(2). */
export const close = (fd: number): number => libcClose(fd);

const status = allocate(4);

/** The next dead process, whoever it is: its PID and wait status, or undefined when there is none now. */
export function reapAny(): { pid: number; status: number } | undefined {
  const pid = libcWaitpid(-1, status.address, WNOHANG);
  return pid > 0 ? { pid, status: status.bytes.readInt32LE(0) } : undefined;
}

const libcWaitid = declare('waitid', 'int', 'int', 'pointer', 'int');
const dead = allocate(SIZEOF_SIGINFO_T);
const sigchld = signalSet([SIGCHLD]);

/** Takes the CHLD off the queue that came of a child which is reaped already, unless others are still to be reaped. */
export function dropChildSignal(): void {
  if (!pendingSignal(sigchld)) return;
  dead.bytes.fill(0); // with WNOHANG, waitid leaves it so if there is nobody
  libcWaitid(P_ALL, 0, dead.address, WEXITED | WNOHANG | WNOWAIT);
  if (dead.bytes.readInt32LE(SI_PID_OFFSET) !== 0) kill(ownPid, SIGCHLD);
}

/** Our own PID. */
export const ownPid: number = libcGetpid();

/** Stops this process until a SIGCONT. Has no effect on PID 1, which the kernel does not stop. */
export function stopSelf(): void {
  kill(ownPid, SIGSTOP);
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
const sigpipe = signalSet([SIGPIPE]);

/** Writes bytes (latin1) to standard error. What can't be written is dropped. */
export function writeError(text: string): void {
  for (let start = 0; start < text.length; start += CHUNK) {
    const length = chunk.bytes.write(text.slice(start, start + CHUNK), 'latin1');
    for (let done = 0; done < length; ) {
      const n = libcWrite(2, chunk.address + BigInt(done), BigInt(length - done));
      // A broken pipe queues a SIGPIPE for this thread, which no one sent: it must not be forwarded.
      if (n === -EPIPE) pendingSignal(sigpipe);
      if (n <= 0) return;
      done += n;
    }
  }
}

/** Ends the process at once: no exit handler runs, so Node does not touch the terminal's settings. */
export function exit(code: number): never {
  for (;;) libcExit(code);
}
