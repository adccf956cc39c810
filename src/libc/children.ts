/** Our children: signals to them, and their deaths. A failure is `-errno`; nothing here throws. */
import {
  CLD_DUMPED,
  CLD_EXITED,
  ECHILD,
  EINTR,
  P_ALL,
  PR_GET_CHILD_SUBREAPER,
  PR_SET_CHILD_SUBREAPER,
  SI_CODE_OFFSET,
  SI_PID_OFFSET,
  SI_STATUS_OFFSET,
  SIZEOF_SIGINFO_T,
  WEXITED,
  WNOHANG,
  WNOWAIT,
} from '../abi.ts';
import { allocate, declare, declareWithoutErrno, ints } from './ffi.ts';
import { record } from './record.ts';

const libcWaitid = declare('waitid', 'int', 'int', 'pointer', 'int');
const libcWaitpid = declare('waitpid', 'int', 'pointer', 'int');
const libcPrctl = declare('prctl', 'int', 'int');
const libcPrctlGet = declare('prctl', 'int', 'pointer');

/** kill(2), whose failure nobody asks for: see perform.ts. */
export const kill = declareWithoutErrno('kill', 'int', 'int');

const info = allocate(SIZEOF_SIGINFO_T);
const infoInts = ints(info);
const field = (offset: number) => infoInts[offset / 4] ?? 0;

/** A process that has ended, with its wait status. */
export interface Dead {
  readonly pid: number;
  readonly status: number;
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

/** Reaps a dead process (waitpid(2)). */
export function bury(pid: number): void {
  let result: number;
  do result = libcWaitpid(pid, 0n, WNOHANG);
  while (result === -EINTR);
}

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
