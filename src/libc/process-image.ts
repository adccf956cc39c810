/** The arguments and the environment as the kernel laid them down: bytes, in their order. */
import { SIZEOF_POINTER } from '../abi.ts';
import { allocate, bytesAt, stringAt, words64, wordsAt } from './ffi.ts';
import { record } from './record.ts';

/** What the process was started with, one latin1 character a byte. */
export interface ProcessImage {
  /** The words of the command line. */
  readonly words: string[];
  /** getenv(3) on the container's environment: the first entry of a name. */
  readonly environment: (name: string) => string | undefined;
}

/**
 * The strings lie behind each other in memory, first the arguments and then the environment, each with its NUL
 * (fs/exec.c, copy_strings). So one look gets them all, be they 100,000.
 */
export function processImage(): ProcessImage {
  const { argc, argv, envc } = record();
  // argv, a null, envp (elf(5), the initial stack)
  const pointers = wordsAt(argv, argc + 1 + envc);
  const first = pointers[argc > 0 ? 0 : 1] ?? 0n;
  const firstVariable = pointers[argc + 1] ?? 0n;
  const last = pointers[envc > 0 ? argc + envc : argc - 1] ?? 0n;
  const text = argc + envc > 0 ? `${bytesAt(first, Number(last - first))}${stringAt(last)}\0` : '';
  const environmentAt = envc > 0 ? Number(firstVariable - first) : text.length;
  const words = text.slice(0, environmentAt).split('\0');
  words.pop();
  const variables = `\0${text.slice(environmentAt)}`;
  return {
    words,
    environment: (name) => {
      const start = variables.indexOf(`\0${name}=`);
      if (start < 0) return undefined;
      const value = start + name.length + 2;
      return variables.slice(value, variables.indexOf('\0', value));
    },
  };
}

/** The address of an argument array that begins with word `index`. */
export function argumentsFrom(index: number): bigint {
  return record().argv + BigInt(index * SIZEOF_POINTER);
}

/** The address of an argument array of these words. */
export function argumentsAt(indices: readonly number[]): bigint {
  const { argv, argc } = record();
  const list = allocate((indices.length + 1) * SIZEOF_POINTER);
  const into = words64(list);
  const from = wordsAt(argv, argc);
  indices.forEach((index, i) => {
    into[i] = from[index] ?? 0n;
  });
  return list.address;
}
