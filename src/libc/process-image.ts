/** The arguments and the environment as the kernel laid them down: bytes, in their order. */
import { memoryAt, stringAt } from './ffi.ts';
import { handover } from './handover.ts';

const POINTER = 8;

function pointers(address: bigint, count: number): bigint[] {
  if (count === 0) return [];
  const { bytes } = memoryAt(address, count * POINTER);
  return Array.from({ length: count }, (_, i) => bytes.readBigUInt64LE(i * POINTER));
}

/** The words of the command line, one latin1 character a byte. */
export function argumentWords(): string[] {
  return pointers(handover.argv, handover.argc).map(stringAt);
}

/** The address of an argument array that begins with word `index`. */
export function argumentsFrom(index: number): bigint {
  return handover.argv + BigInt(index * POINTER);
}

/** The address of the environment array. */
export const environmentAddress = handover.envp;

let entries: string | undefined;

/**
 * getenv(3) on the container's environment: the first entry of that name.
 *
 * The strings lie behind each other in memory, in the order of envp (fs/binfmt_elf.c,
 * create_elf_tables), so a search for NUL, name and `=` finds it.
 */
export function environmentVariable(name: string): string | undefined {
  if (handover.envc === 0) return undefined;
  entries ??= environmentBlock();
  const start = entries.indexOf(`\0${name}=`);
  if (start < 0) return undefined;
  const value = start + name.length + 2;
  return entries.slice(value, entries.indexOf('\0', value));
}

function environmentBlock(): string {
  const [first = 0n, last = 0n] = [
    pointers(handover.envp, 1)[0],
    pointers(handover.envp + BigInt((handover.envc - 1) * POINTER), 1)[0],
  ];
  const { bytes } = memoryAt(first, Number(last - first) + 1);
  return `\0${bytes.toString('latin1', 0, bytes.length - 1)}${stringAt(last)}\0`;
}
