/** The arguments and the environment as the kernel laid them down: bytes, in their order. */
import { SIZEOF_POINTER } from './abi.ts';
import { allocate, bytesAt, pointerAt, stringAt } from './ffi.ts';
import { record } from './record.ts';

/**
 * The strings of an argv or envp array, each with its NUL, one latin1 character a byte. They lie
 * behind each other in memory, in the order of the array (fs/exec.c, copy_strings), so one look
 * gets them all, be they 100,000.
 */
function strings(array: bigint, count: number): string {
  if (count === 0) return '';
  const first = pointerAt(array);
  const last = pointerAt(array + BigInt((count - 1) * SIZEOF_POINTER));
  return `${bytesAt(first, Number(last - first))}${stringAt(last)}\0`;
}

/** The words of the command line, one latin1 character a byte. */
export function argumentWords(): string[] {
  const { argv, argc } = record();
  return strings(argv, argc).split('\0').slice(0, -1);
}

/** The address of an argument array that begins with word `index`. */
export function argumentsFrom(index: number): bigint {
  return record().argv + BigInt(index * SIZEOF_POINTER);
}

/** The address of an argument array of these words. */
export function argumentsAt(indices: readonly number[]): bigint {
  const { argv } = record();
  const list = allocate((indices.length + 1) * SIZEOF_POINTER);
  indices.forEach((index, i) => {
    list.bytes.writeBigUInt64LE(pointerAt(argv + BigInt(index * SIZEOF_POINTER)), i * SIZEOF_POINTER);
  });
  return list.address;
}

/** getenv(3) for the container's environment: the first entry of a name. */
export function containerEnvironment(): (name: string) => string | undefined {
  const { envp, envc } = record();
  const environment = `\0${strings(envp, envc)}`;
  return (name) => {
    const start = environment.indexOf(`\0${name}=`);
    if (start < 0) return undefined;
    const value = start + name.length + 2;
    return environment.slice(value, environment.indexOf('\0', value));
  };
}
