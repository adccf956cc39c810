/** The soft limits that the launcher has raised, to load the libraries and to start Node. */
import { RLIMIT_FSIZE, RLIMIT_NOFILE, SIZEOF_RLIMIT } from './abi.ts';
import { allocate, declare } from './ffi.ts';
import { handover } from './handover.ts';

const prlimit = declare('prlimit', 'int', 'int', 'pointer', 'pointer');

/** Puts them back to what the caller set: the command inherits them. */
export function restoreSoftLimits(): void {
  const { address, bytes } = allocate(SIZEOF_RLIMIT);
  const { fsize, nofile } = handover.softLimits;
  for (const [resource, soft] of [
    [RLIMIT_FSIZE, fsize],
    [RLIMIT_NOFILE, nofile],
  ] as const) {
    prlimit(0, resource, 0n, address);
    bytes.writeBigUInt64LE(soft, 0); // before the hard limit, which stays
    prlimit(0, resource, address, 0n);
  }
}
