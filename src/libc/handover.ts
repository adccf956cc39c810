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
  /** Constants and code of Node: mapped from the executable, and never written to. */
  unwritten: readonly [constants: Range, code: Range];
  /** The signals that the caller has blocked: bit n-1 for signal n. */
  blocked: bigint;
  /** The memfds with the libraries and, last, the ffi-rs addon. The caller's own fds may lie between them. */
  memfds: readonly number[];
}

/** Addresses, the end not included. */
export interface Range {
  start: bigint;
  end: bigint;
}

const range = (start = 0n, size = 0n): Range => ({ start, end: start + size });

const words = (process.env['DUMB_INIT_HANDOVER'] ?? '').split(' ').map(BigInt);

export const handover: Handover = {
  argc: Number(words[0]),
  argv: words[1] ?? 0n,
  envc: Number(words[2]),
  envp: words[3] ?? 0n,
  softLimits: { fsize: words[4] ?? 0n, nofile: words[5] ?? 0n },
  unwritten: [range(words[6], words[7]), range(words[8], words[9])],
  blocked: words[10] ?? 0n,
  memfds: words.slice(11).map(Number),
};
