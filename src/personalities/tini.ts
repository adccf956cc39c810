/** tini 0.19.0 (https://github.com/krallin/tini/blob/v0.19.0/src/tini.c): options, texts, statuses. */

import { ENOTTY, ENXIO } from '../abi.ts';
import { type Found, getopt, type Spec } from '../getopt.ts';
import { LICENSE } from '../messages.ts';
import { defaultSettings, on, type Settings } from '../option-table.ts';
import type { Environment, Options, Parsed } from '../options.ts';
import type { Personality, Self } from '../personality.ts';
import { KERNEL_SIGNALS, SIGCHLD, SIGNALS, SIGTTIN, SIGTTOU } from '../signals.ts';
import { scanInt } from '../values.ts';

const VERSION = 'tini version 0.19.0';

interface Verbosity {
  /** How much is said. */
  verbosity: number;
}

interface Row extends Spec {
  readonly letter: string;
  /** @returns false for a bad argument */
  readonly set?: (settings: Settings & Verbosity, argument: string) => boolean;
}

/** Signals that tini has no name for. */
const NAMELESS = ['SIGSTKFLT', 'SIGIO', 'SIGPWR'];

const OPTIONS: readonly Row[] = [
  { letter: 'h' },
  { letter: 'l' },
  {
    letter: 's',
    set: on('subreaper'),
  },
  {
    letter: 'p',
    argument: 'SIGNAL',
    set: (settings, argument) => {
      const signal = SIGNALS.find(({ name }) => name === argument && !NAMELESS.includes(name));
      if (signal) settings.parentDeathSignal = signal.n;
      return signal !== undefined;
    },
  },
  {
    letter: 'v',
    set: (settings) => {
      settings.verbosity++;
      return true;
    },
  },
  {
    letter: 'w',
    set: on('warnZombies'),
  },
  {
    letter: 'g',
    set: (settings) => {
      settings.singleChild = false;
      return true;
    },
  },
  {
    letter: 'e',
    argument: 'EXIT_CODE',
    set: (settings, argument) => {
      // strtol(3) to the end of the text; an empty text is 0.
      const valid = argument === '' || /^[ \t\n\v\f\r]*[+-]?\d+$/.test(argument);
      const status = valid ? Number(argument) : -1;
      if (status < 0 || status > 255) return false;
      settings.exitMap.set(status, 0);
      return true;
    },
  },
];

const basename = (path: string) => path.slice(path.lastIndexOf('/') + 1);

const usage = (argv0: string) => `${basename(argv0)} (${VERSION})
Usage: ${basename(argv0)} [OPTIONS] PROGRAM -- [ARGS] | --version

Execute a program under the supervision of a valid init process (${basename(argv0)})

Command line options:

  --version: Show version and exit.
  -h: Show this help message and exit.
  -s: Register as a process subreaper (requires Linux >= 3.4).
  -p SIGNAL: Trigger SIGNAL when parent dies, e.g. "-p SIGKILL".
  -v: Generate more verbose output. Repeat up to 3 times.
  -w: Print a warning when processes are getting reaped.
  -g: Send signals to the child's process group.
  -e EXIT_CODE: Remap EXIT_CODE (from 0 to 255) to 0.
  -l: Show license and exit.

Environment variables:

  TINI_SUBREAPER: Register as a process subreaper (requires Linux >= 3.4).
  TINI_VERBOSITY: Set the verbosity level (default: 1).
  TINI_KILL_PROCESS_GROUP: Send signals to the child's process group.

`;

type Level = 'FATAL' | 'WARN ' | 'INFO ' | 'DEBUG' | 'TRACE';
const line = ({ pid }: Self, level: Level, text: string) => `[${level} tini (${pid})] ${text}\n`;

function parse(argv: readonly string[], environment: Environment, self: Self): Parsed<Options & Verbosity> {
  const argv0 = argv[0] ?? '';
  if (argv.length === 2 && argv[1] === '--version') {
    return { kind: 'version', text: `${VERSION}\n`, status: 0, stdout: true };
  }
  const settings = { ...defaultSettings(), singleChild: true, keepIgnored: true, verbosity: 1 };
  const permute = environment('POSIXLY_CORRECT') === undefined;
  const words: Generator<Found<Row>, number[]> = getopt(argv, { options: OPTIONS, long: false, permute });
  let step = words.next();
  for (; !step.done; step = words.next()) {
    const found = step.value;
    if ('error' in found) return { kind: 'usageError', text: found.error + usage(argv0), status: 1 };
    const { row, argument } = found;
    if (row.letter === 'h') return { kind: 'help', text: usage(argv0), status: 0, stdout: true };
    if (row.letter === 'l') return { kind: 'help', text: LICENSE, status: 0, stdout: true };
    if (!row.set?.(settings, argument)) {
      const text = line(self, 'FATAL', `Not a valid option for -${row.letter}: ${argument}`);
      return { kind: 'usageError', text, status: 1 };
    }
  }
  const operands = step.value;
  const [command] = operands;
  if (command === undefined) return { kind: 'usageError', text: usage(argv0), status: 1 };

  if (environment('TINI_SUBREAPER') !== undefined) settings.subreaper = true;
  if (environment('TINI_KILL_PROCESS_GROUP') !== undefined) settings.singleChild = false;
  const verbosity = environment('TINI_VERBOSITY');
  if (verbosity !== undefined) settings.verbosity = atoi(verbosity);
  const fromEnvironment = { debug: false, noSetsid: false };
  return { kind: 'run', options: { ...settings, command, operands, fromEnvironment } };
}

/** As the unsigned number that tini makes of it: a negative one is a very high level. */
function atoi(text: string): number {
  return scanInt(/^[ \t\n\v\f\r]*([+-]?\d+)/.exec(text)?.[1] ?? '0') >>> 0;
}

const IGNORED: ReadonlySet<number> = new Set([SIGTTIN, SIGTTOU]);

export const tini: Personality<Options & Verbosity> = {
  names: ['tini', 'tini-static', 'docker-init'],
  parse,
  voice: ({ verbosity, warnZombies }, self) => {
    const at = (level: number, name: Level, text: string) => (verbosity >= level ? line(self, name, text) : undefined);
    const out = (text: string | undefined) => (text === undefined ? undefined : { text, stdout: true as const });
    const [warn, info, debug, trace] = [
      (text: string) => at(1, 'WARN ', text),
      (text: string) => out(at(2, 'INFO ', text)),
      (text: string) => out(at(3, 'DEBUG', text)),
      (text: string) => out(at(4, 'TRACE', text)),
    ];
    return {
      subreaper: () => trace('Registered as child subreaper'),
      notReaper: () =>
        warn(
          "Tini is not running as PID 1 and isn't registered as a child subreaper.\n" +
            "Zombie processes will not be re-parented to Tini, so zombie reaping won't work.\n" +
            'To fix the problem, use the -s option or set the environment variable TINI_SUBREAPER to register Tini ' +
            'as a child subreaper, or run Tini as PID 1.',
        ),
      noTerminal: ({ errno }) =>
        debug(`tcsetpgrp failed: no ${errno === ENOTTY ? 'tty' : 'such device'} (ok to proceed)`),
      spawned: (pid, file) => info(`Spawned child process '${file}' with pid '${pid}'`),
      received: (n) =>
        IGNORED.has(n)
          ? undefined
          : debug(n === SIGCHLD ? 'Received SIGCHLD' : `Passing signal: '${self.describe(n)}'`),
      reaped: (pid) => debug(`Reaped child with pid: '${pid}'`),
      orphan: (pid) => (warnZombies ? warn(`Reaped zombie process with pid=${pid}`) : undefined),
      commandEnded: (end) =>
        info(
          end.kind === 'exited'
            ? `Main child exited normally (with status '${end.code}')`
            : `Main child exited with signal (with signal '${self.describe(end.signal)}')`,
        ),
      drained: (childless) => trace(childless ? 'No child to wait' : 'No child to reap'),
      exiting: () => trace('Exiting: child has exited'),
    };
  },
  rules: {
    suspending: new Set(),
    ignored: IGNORED,
    fatal: KERNEL_SIGNALS,
    terminatesGroup: false,
    drains: true,
  },
  foreground: 'standard input',
  noTerminal: [ENOTTY, ENXIO],
  leavesFolder: false,
  closesFiles: false,
  namesOrphans: false,
  cannotFork: (self, { text }) => line(self, 'FATAL', `fork failed: ${text}`),
  cannotExecute: (self, file, { text }) => line(self, 'FATAL', `exec ${file} failed: ${text}`),
  execStatuses: () => ({ notFound: 127, denied: 126, other: 1 }),
  foregroundFailed: (self, { text }) => line(self, 'FATAL', `tcsetpgrp failed: ${text}`),
};
