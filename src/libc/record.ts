/**
 * This process, as the thaw found it (src/image/frozen.h). All that the program knows of the process from
 * before its first line is here, so that what a rehearsal leaves behind is replaced in one place.
 */
import { memoryAt, words64 } from './ffi.ts';
import { type Field, MAX_CLEAN, OFFSETS, SIZEOF_FROZEN } from './frozen-layout.ts';

export interface ProcessRecord {
  readonly pid: number;
  /** The PID of the parent as the process began; 0 for one outside of our PID namespace. */
  readonly parent: number;
  readonly argc: number;
  /** Address of the kernel's own argv, an array of `argc` pointers and a null. */
  readonly argv: bigint;
  readonly envc: number;
  /** Address of the kernel's own envp, an array of `envc` pointers and a null. */
  readonly envp: bigint;
  /** The signals that the caller blocks, and those that it ignores: bit n-1 for signal n. */
  readonly blocked: bigint;
  readonly ignored: bigint;
}

let current: ProcessRecord;

/** The record of the process that runs. */
export const record = (): ProcessRecord => current;

/** Memory from `start`, `size` bytes, that is mapped from the executable and never written to. */
export interface CleanMemory {
  readonly start: bigint;
  readonly size: bigint;
}

/** The struct itself; main.ts knows its address before anything else runs. */
let frozen: BigUint64Array;
export function frozenAt(address: number): void {
  frozen = words64(memoryAt(BigInt(address), SIZEOF_FROZEN));
}

const word = (field: Field, index = 0): bigint => frozen[OFFSETS[field] / 8 + index] ?? 0n;

/** Memory that is mapped from the executable and never written to. */
export function cleanMemory(): CleanMemory[] {
  const ranges: CleanMemory[] = [];
  for (let i = 0; i < MAX_CLEAN && word('clean', 2 * i + 1) > 0n; i++) {
    ranges.push({ start: word('clean', 2 * i), size: word('clean', 2 * i + 1) });
  }
  return ranges;
}

/** The life of another process begins: what the thaw has written becomes the record. */
export function readRecord(): void {
  current = {
    pid: Number(word('pid')),
    parent: Number(word('parent')),
    argc: Number(word('argc')),
    argv: word('argv'),
    envc: Number(word('envc')),
    envp: word('envp'),
    blocked: word('blocked'),
    ignored: word('ignored'),
  };
}

/** Writes what the thaw would write: for a rehearsal. */
export function writeRecord(record: ProcessRecord): void {
  for (const [field, value] of Object.entries(record) as [keyof ProcessRecord, number | bigint][]) {
    frozen[OFFSETS[field] / 8] = BigInt(value);
  }
}
