/**
 * The one signal table. Numbers are those of x86_64 and aarch64 Linux (signal(7)). Facts, not policy: this file
 * imports nothing, and whoever needs it may import it.
 */

export interface Signal {
  n: number;
  name: string;
  /**
   * Job-control stops: by default they reach the child as SIGSTOP, because the process group of a
   * new session is orphaned and the kernel drops TSTP, TTIN and TTOU there (setpgid(2)); and after
   * one of them dumb-init stops itself too, as any job of a shell would.
   */
  suspends?: true;
}

export const SIGNALS: readonly Signal[] = [
  { n: 1, name: 'SIGHUP' },
  { n: 2, name: 'SIGINT' },
  { n: 3, name: 'SIGQUIT' },
  { n: 4, name: 'SIGILL' },
  { n: 5, name: 'SIGTRAP' },
  { n: 6, name: 'SIGABRT' },
  { n: 7, name: 'SIGBUS' },
  { n: 8, name: 'SIGFPE' },
  { n: 9, name: 'SIGKILL' },
  { n: 10, name: 'SIGUSR1' },
  { n: 11, name: 'SIGSEGV' },
  { n: 12, name: 'SIGUSR2' },
  { n: 13, name: 'SIGPIPE' },
  { n: 14, name: 'SIGALRM' },
  { n: 15, name: 'SIGTERM' },
  { n: 16, name: 'SIGSTKFLT' },
  { n: 17, name: 'SIGCHLD' },
  { n: 18, name: 'SIGCONT' },
  { n: 19, name: 'SIGSTOP' },
  { n: 20, name: 'SIGTSTP', suspends: true },
  { n: 21, name: 'SIGTTIN', suspends: true },
  { n: 22, name: 'SIGTTOU', suspends: true },
  { n: 23, name: 'SIGURG' },
  { n: 24, name: 'SIGXCPU' },
  { n: 25, name: 'SIGXFSZ' },
  { n: 26, name: 'SIGVTALRM' },
  { n: 27, name: 'SIGPROF' },
  { n: 28, name: 'SIGWINCH' },
  { n: 29, name: 'SIGIO' },
  { n: 30, name: 'SIGPWR' },
  { n: 31, name: 'SIGSYS' },
];

const byName = new Map(SIGNALS.map(({ name, n }) => [name, n]));

function number(name: string): number {
  const n = byName.get(name);
  if (n === undefined) throw new Error(`no signal ${name}`);
  return n;
}

export const SIGHUP = number('SIGHUP');
export const SIGINT = number('SIGINT');
export const SIGKILL = number('SIGKILL');
export const SIGQUIT = number('SIGQUIT');
export const SIGTSTP = number('SIGTSTP');
export const SIGPIPE = number('SIGPIPE');
export const SIGTERM = number('SIGTERM');
export const SIGCHLD = number('SIGCHLD');
export const SIGCONT = number('SIGCONT');
export const SIGSTOP = number('SIGSTOP');
export const SIGTTIN = number('SIGTTIN');
export const SIGTTOU = number('SIGTTOU');
export const SIGURG = number('SIGURG');
export const SIGXFSZ = number('SIGXFSZ');
export const SIGWINCH = number('SIGWINCH');

/** The signals after which dumb-init stops itself. */
export const SUSPENDING: ReadonlySet<number> = new Set(SIGNALS.filter((signal) => signal.suspends).map(({ n }) => n));

/** Those that the kernel sends for a fault of the program itself: tini and catatonit leave them to it. */
export const KERNEL_SIGNALS: ReadonlySet<number> = new Set(
  ['SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGTRAP', 'SIGSYS'].map(number),
);

/** The highest signal that `--rewrite` takes on either side; real-time signals begin beyond it. */
export const MAX_STANDARD_SIGNAL = 31;

/** The highest signal there is. */
const MAX_SIGNAL = 64;

/** Real-time signals that glibc keeps for its threads (nptl(7)): neither blocked nor waited for. */
const LIBC_SIGNALS: readonly number[] = [32, 33];

/** The first and the last real-time signal, as programs count them. */
const SIGRTMIN = 34;
const SIGRTMAX = MAX_SIGNAL;

const ALIASES: Record<string, string> = { SIGIOT: 'SIGABRT', SIGCLD: 'SIGCHLD', SIGPOLL: 'SIGIO' };

/** Whether a program can take and send it. */
const usable = (n: number) => n >= 1 && n <= MAX_SIGNAL && !LIBC_SIGNALS.includes(n);

/** Every signal that a program can take or send, in order. */
export const ALL_SIGNALS: readonly number[] = Array.from({ length: MAX_SIGNAL }, (_, i) => i + 1).filter(usable);

/** Reads `15`, `TERM`, `SIGTERM` or `RTMIN+3`, in upper or lower case; undefined if there is no such signal. */
export function parseSignal(text: string): number | undefined {
  if (/^\d+$/.test(text)) return usable(Number(text)) ? Number(text) : undefined;
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  const [, end, offset = '+0'] = /^SIGRT(MIN(?=\+|$)|MAX(?=-|$))([+-]\d+)?$/.exec(name) ?? [];
  if (end) {
    const n = (end === 'MIN' ? SIGRTMIN : SIGRTMAX) + Number(offset);
    return n >= SIGRTMIN && n <= SIGRTMAX ? n : undefined;
  }
  return byName.get(ALIASES[name] ?? name);
}

/** `SIGTERM`, `SIGRTMIN+3`; the bare number where there is no name. */
export function signalName(n: number): string {
  const standard = SIGNALS[n - 1];
  if (standard) return standard.name;
  if (n < SIGRTMIN || n > SIGRTMAX) return String(n);
  if (n === SIGRTMIN) return 'SIGRTMIN';
  return n === SIGRTMAX ? 'SIGRTMAX' : `SIGRTMIN+${n - SIGRTMIN}`;
}
