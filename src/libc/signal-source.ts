/** Signals as a queue: the thaw has blocked all of them for good, and they are taken from the kernel one by one. */

import { SI_CODE_OFFSET, SI_PID_OFFSET, SI_USER, SIZEOF_SIGINFO_T, SIZEOF_SIGSET_T, SIZEOF_TIMESPEC } from '../abi.ts';
import { ALL_SIGNALS } from '../signals.ts';
import { allocate, declare, declareWithoutErrno, ints, type Memory } from './ffi.ts';

const sigpending = declare('sigpending', 'pointer');
const sigtimedwait = declareWithoutErrno('sigtimedwait', 'pointer', 'pointer', 'pointer');

const info = allocate(SIZEOF_SIGINFO_T);
const infoInts = ints(info);
const immediately = allocate(SIZEOF_TIMESPEC);

/** A sigset_t of these signals: bit n-1 for signal n. */
export function signalSet(signals: readonly number[]): Memory {
  const set = allocate(SIZEOF_SIGSET_T);
  for (const n of signals) {
    const byte = (n - 1) >> 3;
    set.bytes[byte] = (set.bytes[byte] ?? 0) | (1 << ((n - 1) & 7));
  }
  return set;
}

/** The signals of a mask as the kernel shows it: bit n-1 for signal n. */
export function signalsOf(mask: bigint): number[] {
  return ALL_SIGNALS.filter((n) => mask & (1n << BigInt(n - 1)));
}

/** A signal that was taken off the queue. */
export interface Received {
  n: number;
  /** si_code and si_pid name a process that used kill(2), or the kernel acting for one. */
  sender: number | undefined;
}

const awaited = signalSet(ALL_SIGNALS);

function received(n: number): Received {
  return { n, sender: infoInts[SI_CODE_OFFSET / 4] === SI_USER ? infoInts[SI_PID_OFFSET / 4] : undefined };
}

const pending = signalSet([]);

/** Whether a standard signal is pending. */
export function isPending(n: number): boolean {
  return sigpending(pending.address) === 0 && (pending.bytes.readUInt32LE(0) & (1 << (n - 1))) !== 0;
}

const timeout = allocate(SIZEOF_TIMESPEC);

/**
 * Waits for the next signal; of several that are pending the lowest number comes first. One function
 * with and without a time-out: the first wait without must find everything compiled, for by then
 * memory has been given back.
 *
 * @param ms so long at most, or for ever
 * @returns undefined when the time is over, and when we were stopped and continued
 */
export function nextSignal(ms?: number): Received | undefined {
  let until = 0n;
  if (ms !== undefined) {
    const seconds = Math.floor(ms / 1000);
    timeout.bytes.writeBigInt64LE(BigInt(seconds), 0);
    timeout.bytes.writeBigInt64LE(BigInt(Math.ceil((ms - seconds * 1000) * 1_000_000)), 8);
    until = timeout.address;
  }
  const n = sigtimedwait(awaited.address, info.address, until);
  return n > 0 ? received(n) : undefined;
}

/** Takes one of the set's signals if one is pending. */
export function pendingSignal(set: Memory): Received | undefined {
  const n = sigtimedwait(set.address, info.address, immediately.address);
  return n > 0 ? received(n) : undefined;
}
