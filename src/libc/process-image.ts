/** The arguments and the environment as the kernel laid them down: bytes, in their order. */
import { SIZEOF_POINTER } from './abi.ts';
import { allocate, memoryAt, stringAt } from './ffi.ts';
import { handover } from './handover.ts';

/**
 * The strings of an argv or envp array, each with its NUL, one latin1 character a byte. They lie
 * behind each other in memory, in the order of the array (fs/exec.c, copy_strings), so one look
 * gets them all, be they 100,000.
 */
function strings(array: bigint, count: number): string {
  if (count === 0) return '';
  const { bytes } = memoryAt(array, count * SIZEOF_POINTER);
  const first = bytes.readBigUInt64LE(0);
  const last = bytes.readBigUInt64LE((count - 1) * SIZEOF_POINTER);
  const allButLast = first === last ? '' : memoryAt(first, Number(last - first)).bytes.toString('latin1');
  return `${allButLast}${stringAt(last)}\0`;
}

/** The words of the command line, one latin1 character a byte. */
export function argumentWords(): string[] {
  return strings(handover.argv, handover.argc).split('\0').slice(0, -1);
}

/** The address of an argument array that begins with word `index`. */
export function argumentsFrom(index: number): bigint {
  return handover.argv + BigInt(index * SIZEOF_POINTER);
}

/** The address of an argument array of these words. */
export function argumentsAt(indices: readonly number[]): bigint {
  const list = allocate((indices.length + 1) * SIZEOF_POINTER);
  const { bytes } = memoryAt(handover.argv, handover.argc * SIZEOF_POINTER);
  indices.forEach((index, i) => {
    list.bytes.writeBigUInt64LE(bytes.readBigUInt64LE(index * SIZEOF_POINTER), i * SIZEOF_POINTER);
  });
  return list.address;
}

/** The address of the environment array. */
export const environmentAddress = handover.envp;

let environment: string | undefined;

/** getenv(3) on the container's environment: the first entry of that name. */
export function environmentVariable(name: string): string | undefined {
  environment ??= `\0${strings(handover.envp, handover.envc)}`;
  const start = environment.indexOf(`\0${name}=`);
  if (start < 0) return undefined;
  const value = start + name.length + 2;
  return environment.slice(value, environment.indexOf('\0', value));
}
