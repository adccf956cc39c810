/** System calls on processes and on standard error. A failure is `-errno`; nothing here throws. */
import { readdirSync, readFileSync } from 'node:fs';
import { ALL_SIGNALS, SIGCONT, SIGPIPE, SIGSTOP, SIGXFSZ } from '../signals.ts';
import type { Identity } from '../voice.ts';
import {
  CLD_DUMPED,
  CLD_EXITED,
  ECHILD,
  EFBIG,
  EINTR,
  EPIPE,
  P_ALL,
  PR_GET_CHILD_SUBREAPER,
  PR_SET_CHILD_SUBREAPER,
  PR_SET_PDEATHSIG,
  SI_CODE_OFFSET,
  SI_PID_OFFSET,
  SI_STATUS_OFFSET,
  SIG_DFL,
  SIZEOF_SIGINFO_T,
  SIZEOF_TERMIOS,
  TIOCNOTTY,
  WEXITED,
  WNOHANG,
  WNOWAIT,
} from './abi.ts';
import { allocate, cString, declare, declarePointer, declareWithoutErrno, ints } from './ffi.ts';
import { record } from './record.ts';
import { isPending, pendingSignal, signalSet } from './signal-source.ts';

const libcWrite = declare('write', 'int', 'pointer', 'pointer');
const libcExit = declare('_exit', 'int');
const libcIoctl = declare('ioctl', 'int', 'pointer', 'pointer');
const libcWaitid = declare('waitid', 'int', 'int', 'pointer', 'int');
const libcWaitpid = declare('waitpid', 'int', 'pointer', 'int');
const libcChdir = declare('chdir', 'pointer');
const libcClose = declare('close', 'int');
const libcGetsid = declare('getsid', 'int');

/** kill(2), whose failure nobody asks for: see perform.ts. */
export const kill = declareWithoutErrno('kill', 'int', 'int');

/** close(2). */
export const close = (fd: number): number => libcClose(fd);

const info = allocate(SIZEOF_SIGINFO_T);
const infoInts = ints(info);
const field = (offset: number) => infoInts[offset / 4] ?? 0;

/** A process that has ended, with its wait status. */
export interface Dead {
  pid: number;
  status: number;
}

/**
 * The next dead process, whoever it is; otherwise whether children are left at all. It stays a zombie
 * until it is buried, so that neither its PID nor its group's is anybody else's.
 */
export function nextDead(): Dead | 'alive' | 'childless' {
  let error: number;
  do error = libcWaitid(P_ALL, 0, info.address, WEXITED | WNOHANG | WNOWAIT);
  while (error === -EINTR);
  const pid = field(SI_PID_OFFSET);
  const code = field(SI_CODE_OFFSET);
  const value = field(SI_STATUS_OFFSET);
  const status = code === CLD_EXITED ? (value & 0xff) << 8 : value | (code === CLD_DUMPED ? 0x80 : 0);
  info.bytes.fill(0); // a call that fails leaves it as it was
  if (pid > 0) return { pid, status };
  return error === -ECHILD ? 'childless' : 'alive';
}

/** Reaps a dead process. */
export function bury(pid: number): void {
  let result: number;
  do result = libcWaitpid(pid, 0n, WNOHANG);
  while (result === -EINTR);
}

/**
 * Stops this process until a SIGCONT. PID 1 can't stop itself. Sending STOP drops a pending CONT
 * (signal(7)), so if one has come meanwhile the stop is over already.
 */
export function stopSelf(): void {
  const ownPid = record().pid;
  if (ownPid !== 1 && !isPending(SIGCONT)) kill(ownPid, SIGSTOP);
}

/** Whether this process leads its session. */
export function leadsSession(): boolean {
  return libcGetsid(0) === record().pid;
}

const libcTcgetattr = declare('tcgetattr', 'int', 'pointer');

/** Whether standard input is a terminal (isatty(3)). */
export function hasTerminal(): boolean {
  return libcTcgetattr(0, allocate(SIZEOF_TERMIOS).address) === 0;
}

/** Gives up the controlling terminal, if it is the one on fd 0 (ioctl_tty(2), TIOCNOTTY). */
export function detachFromTerminal(): number {
  return libcIoctl(0, BigInt(TIOCNOTTY), 0n);
}

const libcPrctl = declare('prctl', 'int', 'int');
const libcPrctlGet = declare('prctl', 'int', 'pointer');

/** Orphans among our descendants become our children from now on (PR_SET_CHILD_SUBREAPER(2const)). */
export function becomeSubreaper(): void {
  libcPrctl(PR_SET_CHILD_SUBREAPER, 1);
}

/** Whether we reap orphans: as PID 1, or as a subreaper. */
export function reapsOrphans(): boolean {
  if (record().pid === 1) return true;
  const answer = allocate(4);
  return libcPrctlGet(PR_GET_CHILD_SUBREAPER, answer.address) === 0 && answer.bytes.readInt32LE(0) === 1;
}

/** This signal comes when our parent dies. */
export function setParentDeathSignal(n: number): void {
  libcPrctl(PR_SET_PDEATHSIG, n);
}

/** The fields of /proc/PID/stat: the name, and what stands behind it (proc_pid_stat(5)). */
function stat(pid: number): { name: string; parent: number; group: number; session: number } | undefined {
  try {
    const [, name = '', rest = ''] = /^\d+ \((.*)\) \S (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
    const [parent = 0, group = 0, session = 0] = rest.split(' ', 3).map(Number);
    return { name, parent, group, session };
  } catch {
    return undefined; // it has ended meanwhile
  }
}

/** Who a process is, or was if it is not buried yet. */
export const identity: (pid: number) => Identity | undefined = stat;

/** PIDs of all our descendants. Not by /proc/PID/task/TID/children, which not every kernel has. */
function descendants(): number[] {
  const children = new Map<number, number[]>();
  for (const pid of numbersIn('/proc')) {
    const parent = stat(pid)?.parent ?? 0;
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [...(children.get(record().pid) ?? [])];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** The numbers among the names in a folder of /proc; none if it can't be read. */
function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** So often who has been started meanwhile is looked for. Who comes later is found when its parent is reaped. */
const ROUNDS = 10;

/**
 * A signal to all that is ours, whatever its session. For PID 1 that is its PID namespace.
 *
 * @param target a process or, negated, a process group that gets it too; 0: none
 */
export function killAll(target: number, n: number): void {
  if (record().pid === 1) {
    kill(-1, n);
    return;
  }
  const done = new Set<number>();
  for (let round = 0; round < ROUNDS; round++) {
    const found = descendants().filter((pid) => !done.has(pid));
    if (found.length === 0) break;
    for (const pid of found) {
      kill(pid, n);
      done.add(pid);
    }
  }
  if (target !== 0) kill(target, n);
}

const libcSignal = declarePointer('signal', 'int', 'pointer');
const libcSigsuspend = declare('sigsuspend', 'pointer');

/** Dies of a signal, as by its default action. PID 1 does not: the kernel drops the signal. */
export function dieOf(n: number): void {
  const ownPid = record().pid;
  if (ownPid === 1) return;
  libcSignal(n, BigInt(SIG_DFL));
  kill(ownPid, n);
  libcSigsuspend(signalSet(ALL_SIGNALS.filter((other) => other !== n)).address); // which lets it in
}

const libcCloseRange = declare('close_range', 'int', 'int', 'int');

/** Closes what was inherited beyond standard error. Before Linux 5.9 that takes /proc. */
export function closeInherited(): void {
  if (libcCloseRange(3, -1, 0) === 0) return;
  for (const fd of numbersIn('/proc/self/fd')) if (fd > 2) close(fd);
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

/** Writes bytes (latin1) to standard output (1) or standard error (2). What can't be written is dropped. */
export function write(fd: 1 | 2, text: string): void {
  for (let start = 0; start < text.length; start += CHUNK) {
    const length = chunk.bytes.write(text.slice(start, start + CHUNK), 'latin1');
    for (let done = 0; done < length; ) {
      const n = libcWrite(fd, chunk.address + BigInt(done), BigInt(length - done));
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
