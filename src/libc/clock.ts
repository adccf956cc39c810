/** Time. */
import { CLOCK_BOOTTIME, CLOCK_MONOTONIC, SIZEOF_TIMESPEC } from '../abi.ts';
import { allocate, declareWithoutErrno } from './ffi.ts';

const libcClockGettime = declareWithoutErrno('clock_gettime', 'int', 'pointer');
const time = allocate(SIZEOF_TIMESPEC);

/** Milliseconds of a clock that nobody sets (clock_gettime(2)). */
export function now(): number {
  libcClockGettime(CLOCK_MONOTONIC, time.address);
  return Number(time.bytes.readBigInt64LE(0)) * 1e3 + Number(time.bytes.readBigInt64LE(8)) / 1e6;
}

/** Hundredths of a second since the boot, as /proc/PID/stat counts them (USER_HZ). */
export function ticksSinceBoot(): number {
  libcClockGettime(CLOCK_BOOTTIME, time.address);
  return Number(time.bytes.readBigInt64LE(0)) * 100 + Math.floor(Number(time.bytes.readBigInt64LE(8)) / 1e7);
}
