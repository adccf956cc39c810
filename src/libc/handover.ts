/** What the launcher tells the program (src/launcher/launcher.c, `told`): addresses in this process. */
export interface Handover {
  argc: number;
  /** Address of the kernel's own argv, an array of `argc` pointers and a null. */
  argv: bigint;
  envc: number;
  /** Address of the kernel's own envp, an array of `envc` pointers and a null. */
  envp: bigint;
  /** The memfds `firstFd` to `addonFd` hold the libraries and, last, the ffi-rs addon. */
  firstFd: number;
  addonFd: number;
}

const words = (process.env['DUMB_INIT_HANDOVER'] ?? '').split(' ').map(BigInt);

export const handover: Handover = {
  argc: Number(words[0]),
  argv: words[1] ?? 0n,
  envc: Number(words[2]),
  envp: words[3] ?? 0n,
  firstFd: Number(words[4]),
  addonFd: Number(words[5]),
};
