/** What waitpid(2) says of a process that ended. */
export type Ending = { kind: 'exited'; code: number } | { kind: 'signaled'; signal: number };

/**
 * Takes a wait status apart as WIFEXITED, WEXITSTATUS and WTERMSIG do (glibc, bits/waitstatus.h).
 *
 * @param status the int that waitpid wrote, of a process that exited or was killed (not stopped)
 */
export function ending(status: number): Ending {
  const signal = status & 0x7f;
  return signal === 0 ? { kind: 'exited', code: (status >> 8) & 0xff } : { kind: 'signaled', signal };
}

/** The exit status that stands for it: the code, or 128 + the signal as in a shell. */
export function exitStatus(end: Ending): number {
  return end.kind === 'exited' ? end.code : 128 + end.signal;
}
