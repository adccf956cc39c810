/** The one place that calls into C: a thin typed layer over ffi-rs, used by the other files of this folder. */
import { createExternalBuffer, DataType, load, open } from 'ffi-rs';

const LIBC = 'libc';
open({ library: LIBC, path: 'libc.so.6' }); // libc's own functions, without those by which Node is guarded
const GUARD = 'guard';
open({ library: GUARD, path: '/guard.so' }); // as it was preloaded (scripts/build/freeze.ts)

/** `int` arguments as number, pointers and `size_t` as bigint: ffi-rs wants the exact type. */
type Parameter = 'int' | 'pointer';
type Argument<P extends Parameter> = P extends 'int' ? number : bigint;
type Arguments<P extends readonly Parameter[]> = { [K in keyof P]: Argument<P[K]> };

const TYPES = { int: DataType.I32, pointer: DataType.BigInt } as const;

/** A call as ffi-rs takes it. */
interface Call {
  readonly library: string;
  readonly funcName: string;
  readonly retType: DataType;
  readonly paramsType: readonly DataType[];
  paramsValue: readonly unknown[];
  readonly errno: boolean;
  readonly runInNewThread: false;
  readonly freeResultMemory: false;
}

function request(
  funcName: string,
  retType: DataType,
  parameters: readonly Parameter[],
  errno: boolean,
  library = LIBC,
): Call {
  const call: Call = {
    library,
    funcName,
    retType,
    paramsType: parameters.map((parameter) => TYPES[parameter]),
    paramsValue: [],
    errno,
    runInNewThread: false,
    freeResultMemory: false,
  };
  lookUp(call);
  return call;
}

/**
 * Has ffi-rs look a function up, which it does once and keeps: before the freeze, so that no start searches
 * libc's symbols. It does so before it looks at the arguments, so with a wrong one nothing is called.
 */
function lookUp(call: Call): void {
  try {
    load({ ...call, paramsType: [DataType.I32], paramsValue: ['none'] } as never);
  } catch (error) {
    if (String(error).includes('Cannot find')) throw error;
  }
}

/** Thrown by a stage where the process would end. */
export class EndOfRehearsal extends Error {}

/**
 * What a rehearsal answers in place of the kernel: the value that a function of libc returns, or `-errno`;
 * undefined where it does no harm to call it.
 */
export type Stage = (name: string, values: readonly unknown[]) => number | bigint | undefined;

/** Does nothing, and takes any arguments. */
const HARMLESS = 'getpagesize';

type Invoke = (call: Call) => unknown;
const invokeLibc = load as unknown as Invoke;
let invoke = invokeLibc;

/** Until the next call no function of libc that `stage` answers for is called; without a stage, all are. */
export function enter(stage: Stage | undefined): void {
  invoke = !stage
    ? invokeLibc
    : (call) => {
        const answer = stage(call.funcName, call.paramsValue);
        if (answer === undefined) return invokeLibc(call);
        invokeLibc({ ...call, library: LIBC, funcName: HARMLESS }); // the same way, for the code that it takes
        if (!call.errno) return answer;
        return answer < 0 ? { value: -1, errnoCode: -Number(answer) } : { value: answer, errnoCode: 0 };
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
    call.paramsValue = values;
    const { value, errnoCode } = invoke(call) as { value: number; errnoCode: number };
    return value === -1 ? -errnoCode : value; // errno is stale unless the call failed
  };
}

/** The same for a function whose reason to fail nobody asks: the call costs a fifth less, and returns what C returns. */
export function declareWithoutErrno<const P extends readonly Parameter[]>(name: string, ...parameters: P) {
  const call = request(name, DataType.I32, parameters, false);
  return (...values: Arguments<P>): number => {
    call.paramsValue = values;
    return invoke(call) as number;
  };
}

/** Declares a function of the guard's (src/image/guard.c) that returns an `int`. */
export function declareGuard<const P extends readonly Parameter[]>(name: string, ...parameters: P) {
  const call = request(name, DataType.I32, parameters, false, GUARD);
  return (...values: Arguments<P>): number => {
    call.paramsValue = values;
    return invoke(call) as number;
  };
}

/** Declares a libc function that returns an address, 0n for NULL. */
export function declarePointer<const P extends readonly Parameter[]>(name: string, ...parameters: P) {
  const call = request(name, DataType.BigInt, parameters, false);
  return (...values: Arguments<P>): bigint => {
    call.paramsValue = values;
    return invoke(call) as bigint;
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
  return { address, bytes: createExternalBuffer(invokeLibc(call) as never, size) };
}

const calloc = declarePointer('calloc', 'pointer', 'pointer');

/** What a life allocates, which is little, lies together; a Buffer for each piece would cost more than the piece. */
const arena = memoryAt(calloc(1n, 1n << 16n), 1 << 16);
let used = 0;
let kept = 0;

/** `size` zeroed bytes, never freed: what the program needs it allocates once, before its loop. */
export function allocate(size: number): Memory {
  const start = used;
  const end = (start + size + 15) & -16; // aligned for anything
  if (end > arena.bytes.length) return memoryAt(calloc(1n, BigInt(size)), size);
  used = end;
  return { address: arena.address + BigInt(start), bytes: arena.bytes.subarray(start, start + size) };
}

/** What has been allocated until now is for every life, and what comes after for one. */
export function keepAllocated(): void {
  kept = used;
}

/** The next life begins: nothing of the one before is allocated. */
export function freeAllocated(): void {
  arena.bytes.fill(0, kept, used);
  used = kept;
}

/** A C string of bytes (as latin1) in memory that is never freed. */
export function cString(bytes: string): Memory {
  const memory = allocate(bytes.length + 1);
  memory.bytes.write(bytes, 'latin1');
  return memory;
}

/** Memory as C ints, and as words of 64 bits: an index costs less than a method of Buffer. */
export const ints = ({ bytes }: Memory): Int32Array => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
export const words64 = ({ bytes }: Memory) => new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);

const memcpy = declarePointer('memcpy', 'pointer', 'pointer', 'pointer');
const strlen = declarePointer('strlen', 'pointer');

/** What is read of the process goes through here: a Buffer of its own costs more than a copy. */
const scratch = memoryAt(calloc(1n, 1n << 17n), 1 << 17);
const scratchWords = words64(scratch);

/** `size` bytes of this process at `address`, one character (latin1) each. */
export function bytesAt(address: bigint, size: number): string {
  let text = '';
  for (let done = 0; done < size; done += scratch.bytes.length) {
    const part = Math.min(size - done, scratch.bytes.length);
    memcpy(scratch.address, address + BigInt(done), BigInt(part));
    text += scratch.bytes.toString('latin1', 0, part);
  }
  return text;
}

/** The C string at `address`. */
export const stringAt = (address: bigint): string => bytesAt(address, Number(strlen(address)));

/** `count` words of 64 bits at `address`, to be read before anything else is. */
export function wordsAt(address: bigint, count: number): BigUint64Array {
  if (count > scratchWords.length) return words64(memoryAt(address, count * 8));
  memcpy(scratch.address, address, BigInt(count * 8));
  return scratchWords;
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
