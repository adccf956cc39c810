/** The controlling terminal. */
import { SIZEOF_TERMIOS, TIOCNOTTY } from '../abi.ts';
import { allocate, declare } from './ffi.ts';
import { record } from './record.ts';

const libcIoctl = declare('ioctl', 'int', 'pointer', 'pointer');
const libcTcgetattr = declare('tcgetattr', 'int', 'pointer');
const libcTcgetsid = declare('tcgetsid', 'int');

/**
 * What the terminal on standard input is to us: none; it controls the session that we lead; it controls our session; it
 * controls another, or none. Nothing is opened: it is asked of fd 0 (isatty(3), tcgetsid(3)).
 */
export function terminal(): 'none' | 'led' | 'controlling' | 'other' {
  if (libcTcgetattr(0, allocate(SIZEOF_TERMIOS).address) !== 0) return 'none';
  const session = libcTcgetsid(0);
  return session < 0 ? 'other' : session === record().pid ? 'led' : 'controlling';
}

/** Gives up the controlling terminal, if it is the one on fd 0 (ioctl_tty(2), TIOCNOTTY). @returns 0 or -errno */
export function detachFromTerminal(): number {
  return libcIoctl(0, BigInt(TIOCNOTTY), 0n);
}
