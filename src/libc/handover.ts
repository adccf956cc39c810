/** What the launcher tells the program (src/launcher/launcher.c, `told`): addresses in this process. */
export interface Handover {
  argc: number;
  /** Address of the kernel's own argv, an array of `argc` pointers and a null. */
  argv: bigint;
  envc: number;
  /** Address of the kernel's own envp, an array of `envc` pointers and a null. */
  envp: bigint;
  /** The soft limits on the size of a file and on open files, which the launcher has raised. */
  softLimits: { fsize: bigint; nofile: bigint };
  /** The signals that the caller has blocked: bit n-1 for signal n. */
  blocked: bigint;
  /** The memfds with the libraries and, last, the ffi-rs addon. The caller's own fds may lie between them. */
  memfds: readonly number[];
}

const words = (process.env['DUMB_INIT_HANDOVER'] ?? '').split(' ').map(BigInt);

export const handover: Handover = {
  argc: Number(words[0]),
  argv: words[1] ?? 0n,
  envc: Number(words[2]),
  envp: words[3] ?? 0n,
  softLimits: { fsize: words[4] ?? 0n, nofile: words[5] ?? 0n },
  blocked: words[6] ?? 0n,
  memfds: words.slice(7).map(Number),
};
