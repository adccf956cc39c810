/** The command's process: fork(2), and what the child does before its exec, as in dumb-init 1.2.5. */
import { SIGCHLD, SIGCONT, SIGURG, SIGWINCH } from '../signals.ts';
import {
  CLONE_VFORK,
  ENOENT,
  O_CLOEXEC,
  O_RDWR,
  SIG_DFL,
  SIG_IGN,
  SIG_SETMASK,
  SIZEOF_POINTER,
  SYS_CLONE,
  TIOCSCTTY,
} from './abi.ts';
import { allocate, cString, declare, declarePointer, memoryAt, pointerAt, stringAt } from './ffi.ts';
import { close, setDisposition } from './process.ts';
import { record } from './record.ts';
import { signalSet, signalsOf } from './signal-source.ts';

const libcSyscall = declare('syscall', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer');
const libcGetpid = declare('getpid');
const libcSetsid = declare('setsid');
const libcSetpgid = declare('setpgid', 'int', 'int');
const libcIoctl = declare('ioctl', 'int', 'pointer', 'pointer');
const libcOpen = declare('open', 'pointer', 'int');
const libcTcsetpgrp = declare('tcsetpgrp', 'int', 'int');
const libcSigprocmask = declare('sigprocmask', 'int', 'pointer', 'pointer');
const libcExecvp = declare('execvp', 'pointer', 'pointer');
const dlsym = declarePointer('dlsym', 'pointer', 'pointer');
const errnoLocation = declarePointer('__errno_location');

/** libc's own `environ`, where execvp(3) looks for PATH and what it hands on. */
const environ = memoryAt(dlsym(0n, cString('environ').address), SIZEOF_POINTER);
const errno = memoryAt(errnoLocation(), 4);

/**
 * fork(2), after which this process does not run before the child has exec'd or ended (clone(2), CLONE_VFORK):
 * no signal can find the child without its session, or in our own code. The memory is a copy.
 *
 * @returns 0 in the child, in the parent the child's PID or -errno
 */
export function fork(): number {
  return libcSyscall(BigInt(SYS_CLONE), BigInt(CLONE_VFORK | SIGCHLD), 0n, 0n, 0n, 0n);
}

/** getpid(2): in the child, for the record is the parent's. */
export const ownPid = (): number => libcGetpid();

/** setsid(2). @returns 0 or -errno */
export const makeSession = (): number => Math.min(libcSetsid(), 0);

/** The terminal on fd 0 becomes that of our session, if it is nobody else's (ioctl_tty(2), TIOCSCTTY). @returns 0 or -errno */
export const takeTerminal = (): number => libcIoctl(0, BigInt(TIOCSCTTY), 0n);

/** Makes a process group of our own. @returns 0 or -errno */
export const makeGroup = (): number => libcSetpgid(0, 0);

/** @returns a close-on-exec fd of our controlling terminal, or -errno */
export const openTerminal = (): number => libcOpen(cString('/dev/tty').address, O_RDWR | O_CLOEXEC);

/** Our process group becomes the foreground one of a terminal, which is closed unless it is fd 0. @returns 0 or -errno */
export function comeToForeground(fd: number): number {
  const error = libcTcsetpgrp(fd, libcGetpid()); // SIGTTOU is blocked
  if (fd !== 0) close(fd);
  return error;
}

/** To ignore one of these, or to set its default, drops it if it is pending, so the thaw has set a handler instead. */
const IGNORED_BY_DEFAULT = [SIGCHLD, SIGCONT, SIGURG, SIGWINCH];

/**
 * What the command finds: these signals blocked, and, unless `keepIgnored`, none of the standard ones ignored.
 * A signal that is pending takes its effect here.
 */
export function setSignals(blocked: readonly number[], keepIgnored: boolean): void {
  const ignored = signalsOf(record().ignored);
  for (const n of ignored) {
    if (keepIgnored && n !== SIGCHLD) setDisposition(n, SIG_IGN); // who ignores CHLD can't wait for its children
    else if (IGNORED_BY_DEFAULT.includes(n)) setDisposition(n, SIG_DFL);
  }
  libcSigprocmask(SIG_SETMASK, signalSet(blocked).address, 0n);
}

/** The container's environment with a variable that is there changed, as setenv(3) does it: the address of its array. */
export function environmentWith(name: string, value: string): bigint {
  const { envp, envc } = record();
  const copy = allocate((envc + 1) * SIZEOF_POINTER);
  let found = false;
  for (let i = 0; i < envc; i++) {
    const entry = pointerAt(envp + BigInt(i * SIZEOF_POINTER));
    const changes: boolean = !found && stringAt(entry).startsWith(`${name}=`);
    found ||= changes;
    copy.bytes.writeBigUInt64LE(changes ? cString(`${name}=${value}`).address : entry, i * SIZEOF_POINTER);
  }
  return copy.address;
}

/**
 * execvp(3), with this environment: the search in PATH and the shell for files without `#!` are libc's.
 *
 * @param argv address of the argument array, whose first word names the file
 * @returns the errno of what failed
 */
export function exec(argv: bigint, envp: bigint): number {
  environ.bytes.writeBigUInt64LE(envp, 0);
  errno.bytes.writeInt32LE(ENOENT, 0); // which execvp leaves as it is when PATH holds nothing to try
  return -libcExecvp(pointerAt(argv), argv);
}
