/** The one place that calls into C: a thin typed layer over ffi-rs, used by the other files of this folder. */
import { createExternalBuffer, DataType, load, open } from 'ffi-rs';

const LIBC = 'libc';
open({ library: LIBC, path: '' }); // dlopen(NULL): the libc that is loaded already

/** `int` arguments as number, pointers and `size_t` as bigint: ffi-rs wants the exact type. */
type Parameter = 'int' | 'pointer';
type Argument<P extends Parameter> = P extends 'int' ? number : bigint;
type Arguments<P extends readonly Parameter[]> = { [K in keyof P]: Argument<P[K]> };

const TYPES = { int: DataType.I32, pointer: DataType.BigInt } as const;

function request<P extends readonly Parameter[]>(funcName: string, retType: DataType, parameters: P, errno: boolean) {
  return {
    library: LIBC,
    funcName,
    retType,
    paramsType: parameters.map((parameter) => TYPES[parameter]),
    paramsValue: [] as unknown[],
    errno,
    runInNewThread: false as const,
    freeResultMemory: false,
  };
}

/**
 * Declares a libc function that returns an `int` and sets errno.
 *
 * @returns a function that returns what C returns, or `-errno` where C returns -1; it never throws
 */
export function declare<const P extends readonly Parameter[]>(name: string, ...parameters: P) {
  const call = request(name, DataType.I32, parameters, true);
  return (...values: Arguments<P>): number => {
    call.paramsValue = values as unknown[];
    const { value, errnoCode } = load(call) as unknown as { value: number; errnoCode: number };
    return value === -1 ? -errnoCode : value; // errno is stale unless the call failed
  };
}

/** The same for a function whose reason to fail nobody asks: the call costs a fifth less, and returns what C returns. */
export function declareWithoutErrno<const P extends readonly Parameter[]>(name: string, ...parameters: P) {
  const call = request(name, DataType.I32, parameters, false);
  return (...values: Arguments<P>): number => {
    call.paramsValue = values as unknown[];
    return load(call) as unknown as number;
  };
}

/** Declares a libc function that returns an address, 0n for NULL. */
export function declarePointer<const P extends readonly Parameter[]>(name: string, ...parameters: P) {
  const call = request(name, DataType.BigInt, parameters, false);
  return (...values: Arguments<P>): bigint => {
    call.paramsValue = values as unknown[];
    return load(call) as unknown as bigint;
  };
}

/** Memory outside of the JavaScript heap, at an address that never changes. */
export interface Memory {
  address: bigint;
  bytes: Buffer;
}

/** `size` bytes of this process at `address`, seen through a Buffer: no copy, and not freed. */
export function memoryAt(address: bigint, size: number): Memory {
  const call = request('memmove', DataType.External, ['pointer', 'pointer', 'pointer'], false);
  call.paramsValue = [address, address, 0n]; // memmove returns its first argument: the address as ffi-rs wants it
  return { address, bytes: createExternalBuffer(load(call) as never, size) };
}

const calloc = declarePointer('calloc', 'pointer', 'pointer');

/** `size` zeroed bytes, never freed: what the program needs it allocates once, before its loop. */
export function allocate(size: number): Memory {
  return memoryAt(calloc(1n, BigInt(size)), size);
}

/** A C string of bytes (as latin1) in memory that is never freed. */
export function cString(bytes: string): Memory {
  const memory = allocate(bytes.length + 1);
  memory.bytes.write(bytes, 'latin1');
  return memory;
}

/** Memory as C ints: where every signal is read, an index costs less than a method of Buffer. */
export const ints = ({ bytes }: Memory): Int32Array => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);

const strlen = declare('strlen', 'pointer');

/** The bytes of the C string at `address`, one character (latin1) each. */
export function stringAt(address: bigint): string {
  const length = strlen(address);
  return length === 0 ? '' : memoryAt(address, length).bytes.toString('latin1');
}

const strerrorPointer = declarePointer('strerror', 'int');

/** strerror(3) in the C locale. */
export function strerror(errno: number): string {
  return stringAt(strerrorPointer(errno));
}

const strsignalPointer = declarePointer('strsignal', 'int');

/** strsignal(3) in the C locale. */
export function strsignal(n: number): string {
  return stringAt(strsignalPointer(n));
}
