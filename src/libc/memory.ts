/** Memory that the start needed, and waiting for signals does not. */
import { readFileSync } from 'node:fs';
import { MADV_DONTNEED } from './abi.ts';
import { declareWithoutErrno } from './ffi.ts';
import { handover } from './handover.ts';

const libcMadvise = declareWithoutErrno('madvise', 'pointer', 'pointer', 'int');
const mallocTrim = declareWithoutErrno('malloc_trim', 'pointer');

/**
 * Gives back to the kernel what malloc holds in reserve, and takes Node's constants and all code out
 * of this process's page tables: they are in the page cache anyway, and nothing has ever written to
 * them. What the loop needs comes back with the first signal, sixteen pages or more at a fault.
 * Node's code goes last, so that the calls here don't bring it back.
 */
export function giveBackMemory(): void {
  mallocTrim(0n);
  for (const { start, end } of [...codeOfLibraries(), ...handover.unwritten])
    libcMadvise(start, end - start, MADV_DONTNEED);
}

/**
 * Mappings of files that can be executed. Only code, for what is merely read-only may hold relocated
 * tables, and to drop those would be the end.
 */
function codeOfLibraries(): { start: bigint; end: bigint }[] {
  let maps: string;
  try {
    maps = readFileSync('/proc/self/maps', 'latin1');
  } catch {
    return []; // the command has unmounted /proc
  }
  return [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ [1-9]/gm)]
    .map(([, start, end]) => ({ start: BigInt(`0x${start}`), end: BigInt(`0x${end}`) }))
    .filter(({ start }) => start > handover.unwritten[1].end);
}
