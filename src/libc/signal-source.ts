/** Signals as a queue: all are blocked for good (by the launcher), and taken from the kernel one by one. */
import { LIBC_SIGNALS, MAX_SIGNAL } from '../signals.ts';
import { SI_CODE_OFFSET, SI_PID_OFFSET, SI_USER, SIZEOF_SIGINFO_T, SIZEOF_SIGSET_T, SIZEOF_TIMESPEC } from './abi.ts';
import { allocate, declare, type Memory } from './ffi.ts';

const sigpending = declare('sigpending', 'pointer');
const sigtimedwait = declare('sigtimedwait', 'pointer', 'pointer', 'pointer');

const info = allocate(SIZEOF_SIGINFO_T);
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

/** A signal that was taken off the queue. */
export interface Received {
  n: number;
  /** si_code and si_pid name a process that used kill(2), or the kernel acting for one. */
  sender: number | undefined;
}

const everySignal = Array.from({ length: MAX_SIGNAL }, (_, i) => i + 1).filter((n) => !LIBC_SIGNALS.includes(n));
const awaited = signalSet(everySignal);

function received(n: number): Received {
  const byProcess = info.bytes.readInt32LE(SI_CODE_OFFSET) === SI_USER;
  return { n, sender: byProcess ? info.bytes.readInt32LE(SI_PID_OFFSET) : undefined };
}

/**
 * The next signal; of several that are pending the lowest number comes first. Undefined when the
 * time-out is over, and when we were stopped and continued.
 */
export function nextSignal(timeout?: Memory): Received | undefined {
  const n = sigtimedwait(awaited.address, info.address, timeout?.address ?? 0n);
  return n > 0 ? received(n) : undefined;
}

/** A struct timespec. */
export function seconds(n: number): Memory {
  const time = allocate(SIZEOF_TIMESPEC);
  time.bytes.writeUInt32LE(n);
  return time;
}

const pending = signalSet([]);

/** Whether a standard signal is pending. */
export function isPending(n: number): boolean {
  return sigpending(pending.address) === 0 && (pending.bytes.readUInt32LE(0) & (1 << (n - 1))) !== 0;
}

/** Takes one of the set's signals if one is pending. */
export function pendingSignal(set: Memory): Received | undefined {
  const n = sigtimedwait(set.address, info.address, immediately.address);
  return n > 0 ? received(n) : undefined;
}
