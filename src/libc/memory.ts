/** Memory that the start needed, and waiting for signals does not. */
import { MADV_DONTNEED } from '../abi.ts';
import { declareWithoutErrno } from './ffi.ts';
import { cleanMemory } from './record.ts';

const libcMadvise = declareWithoutErrno('madvise', 'pointer', 'pointer', 'int');

/**
 * Takes what is mapped from the executable and never written to out of this process's page tables: it is in
 * the page cache anyway. What the loop needs comes back with the first signal, sixteen pages at a fault.
 */
export function giveBackMemory(): void {
  for (const { start, size } of cleanMemory()) libcMadvise(start, size, MADV_DONTNEED);
}
