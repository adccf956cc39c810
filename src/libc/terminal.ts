/** The controlling terminal. */
import { SIZEOF_TERMIOS, TIOCNOTTY } from '../abi.ts';
import { allocate, declare } from './ffi.ts';

const libcIoctl = declare('ioctl', 'int', 'pointer', 'pointer');
const libcTcgetattr = declare('tcgetattr', 'int', 'pointer');

/** Whether standard input is a terminal (isatty(3)). */
export function hasTerminal(): boolean {
  return libcTcgetattr(0, allocate(SIZEOF_TERMIOS).address) === 0;
}

/** Gives up the controlling terminal, if it is the one on fd 0 (ioctl_tty(2), TIOCNOTTY). @returns 0 or -errno */
export function detachFromTerminal(): number {
  return libcIoctl(0, BigInt(TIOCNOTTY), 0n);
}
