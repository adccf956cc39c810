/**
 * The one table of options: the parser, --help and --help-all, the man page, the shell completions and
 * the README's table come of it.
 */
import type { Spec } from './getopt.ts';
import type { Format } from './log.ts';
import { parseSignal } from './signals.ts';
import { parseDelays, parseKillAfter, parseRewrites, parseStatusPairs } from './values.ts';

/** What options and environment set, beyond the command itself. */
export interface Settings {
  verbose: boolean;
  /** Signals go to the direct child alone, which gets no session of its own. */
  singleChild: boolean;
  /** Signal to the signal that is forwarded in its place; 0 drops it. */
  rewrites: Map<number, number>;
  signalNames: boolean;
  /** The end of the command is not the end: the last descendant's is. */
  waitAll: boolean;
  /** Orphans of our descendants become our children, although we are not PID 1. */
  subreaper: boolean;
  /** Signal that stops the container to the milliseconds after it until all that is left is killed. */
  killAfter: Map<number, number>;
  /** Signal to the milliseconds before it is forwarded. */
  delays: Map<number, number>;
  /** Exit status of the command to ours. */
  exitMap: Map<number, number>;
  /** Status 126 or 127, as of a shell, for a command that cannot be executed. */
  execStatus: boolean;
  /** What we get when our parent dies; 0: nothing. */
  parentDeathSignal: number;
  noTtyHandoff: boolean;
  /** The command inherits which signals are ignored and which are blocked. */
  keepIgnored: boolean;
  /** There is no command: reap until INT or TERM. */
  pause: boolean;
  logFormat: Format;
  logExit: boolean;
  warnZombies: boolean;
  explain: boolean;
}

export const defaultSettings = (): Settings => ({
  verbose: false,
  singleChild: false,
  rewrites: new Map(),
  signalNames: false,
  waitAll: false,
  subreaper: false,
  killAfter: new Map(),
  delays: new Map(),
  exitMap: new Map(),
  execStatus: false,
  parentDeathSignal: 0,
  noTtyHandoff: false,
  keepIgnored: false,
  pause: false,
  logFormat: undefined,
  logExit: false,
  warnZombies: false,
  explain: false,
});

export interface OptionRow extends Spec {
  readonly name: string;
  /** What it does: in --help-all, the man page, the README and the completions. */
  readonly summary: string;
  /** Its lines in --help, which are dumb-init 1.2.5's: it is one of the five that 1.2.5 has. */
  readonly original?: readonly string[];
  /** The environment variable that does the same: with the value of the option, or with this one. */
  readonly variable?: string;
  /** What its argument must be, for the one line about a bad one. */
  readonly takes?: string;
  /** @returns false for a bad argument */
  readonly set?: (settings: Settings, argument: string) => boolean;
}

/** Puts what was read, if it could be read. */
function put<T>(value: T | undefined, into: (value: T) => void): boolean {
  if (value !== undefined) into(value);
  return value !== undefined;
}

function putAll(pairs: [number, number][] | undefined, into: Map<number, number>): boolean {
  return put(pairs, (pairs) => {
    for (const pair of pairs) into.set(...pair);
  });
}

/** Turns settings on. */
export function on(...names: { [K in keyof Settings]: Settings[K] extends boolean ? K : never }[keyof Settings][]) {
  return (settings: Settings): boolean => {
    for (const name of names) settings[name] = true;
    return true;
  };
}

/** The five of 1.2.5, in the order in which it names them when an abbreviation is ambiguous, then ours. */
export const OPTIONS: readonly OptionRow[] = (
  [
    {
      name: 'help',
      letter: 'h',
      summary: 'help, on stderr like everything that dumb-init says',
      original: ['Print this help message and exit.'],
    },
    {
      name: 'single-child',
      letter: 'c',
      summary: 'signals go to the direct child alone; no new session',
      variable: 'DUMB_INIT_SETSID=0',
      original: [
        'Run in single-child mode.',
        'In this mode, signals are only proxied to the',
        'direct child and not any of its descendants.',
      ],
      set: on('singleChild'),
    },
    {
      name: 'rewrite',
      letter: 'r',
      argument: 's:r',
      summary:
        'signal s becomes r before it is forwarded; 0 drops it; numbers or names, several with commas; repeatable',
      variable: 'DUMB_INIT_REWRITE',
      original: [
        'Rewrite received signal s to new signal r before proxying.',
        'To ignore (not proxy) a signal, rewrite it to 0.',
        'This option can be specified multiple times.',
      ],
      takes: 'pairs of signals such as 15:3, TERM:QUIT or HUP:0,RTMIN+3:TERM',
      set: ({ rewrites }, argument) => putAll(parseRewrites(argument), rewrites),
    },
    {
      name: 'verbose',
      letter: 'v',
      summary: 'debug lines on stderr',
      variable: 'DUMB_INIT_DEBUG=1',
      original: ['Print debugging information to stderr.'],
      set: on('verbose'),
    },
    {
      name: 'version',
      letter: 'V',
      summary: 'the version',
      original: ['Print the current version and exit.'],
    },
    { name: 'help-all', summary: 'help on all options' },
    { name: 'list-signals', summary: 'the signals, by number and name' },
    {
      name: 'explain',
      summary: 'what would be done with this command line, here; nothing is run',
      variable: 'DUMB_INIT_EXPLAIN=1',
      set: on('explain'),
    },
    {
      name: 'wait-all',
      summary: 'after the end of the command, TERM to all that is left, and wait for it; includes --subreaper',
      variable: 'DUMB_INIT_WAIT_ALL=1',
      set: on('waitAll', 'subreaper'),
    },
    {
      name: 'kill-after',
      argument: '[signal=]time',
      summary:
        'this time after a TERM (or after a signal that is named, several with commas), KILL to all that is ours, other sessions included; repeatable',
      variable: 'DUMB_INIT_KILL_AFTER',
      takes: 'a time such as 500ms, 10s or 2m, or signals and a time such as QUIT=10s or TERM,QUIT=10s',
      set: ({ killAfter }, argument) => putAll(parseKillAfter(argument, killAfter), killAfter),
    },
    {
      name: 'delay',
      argument: 'signal=time',
      summary: 'the signal is forwarded that time after it came; several with commas; repeatable',
      variable: 'DUMB_INIT_DELAY',
      takes: 'signals and times such as TERM=5s or TERM=5s,INT=500ms',
      set: ({ delays }, argument) => putAll(parseDelays(argument), delays),
    },
    {
      name: 'map-exit',
      argument: 'from:to',
      summary: 'exit status "to" where the command has "from"; several with commas; repeatable',
      variable: 'DUMB_INIT_MAP_EXIT',
      takes: 'pairs of statuses from 0 to 255 such as 143:0 or 143:0,130:0',
      set: ({ exitMap }, argument) => putAll(parseStatusPairs(argument), exitMap),
    },
    {
      name: 'exec-status',
      summary: 'status 127 for a command that is not found, 126 for one that cannot be executed, as of a shell, not 2',
      variable: 'DUMB_INIT_EXEC_STATUS=1',
      set: on('execStatus'),
    },
    {
      name: 'subreaper',
      summary: 'orphans of the command become children of dumb-init although it is not PID 1',
      variable: 'DUMB_INIT_SUBREAPER=1',
      set: on('subreaper'),
    },
    {
      name: 'parent-death-signal',
      argument: 'signal',
      summary: 'the signal that dumb-init gets, and forwards, when its own parent dies',
      variable: 'DUMB_INIT_PARENT_DEATH_SIGNAL',
      takes: 'a signal such as 15, TERM or RTMIN+3',
      set: (settings, argument) =>
        put(parseSignal(argument), (n) => {
          settings.parentDeathSignal = n;
        }),
    },
    {
      name: 'no-tty-handoff',
      summary: 'the controlling terminal is not given up for the session of the command',
      variable: 'DUMB_INIT_NO_TTY_HANDOFF=1',
      set: on('noTtyHandoff'),
    },
    {
      name: 'keep-ignored',
      summary: 'signals that the caller ignores or blocks stay so for the command, as under nohup',
      variable: 'DUMB_INIT_KEEP_IGNORED=1',
      set: on('keepIgnored'),
    },
    {
      name: 'pause',
      summary: 'no command: reap orphans until INT or TERM, then end with status 0',
      variable: 'DUMB_INIT_PAUSE=1',
      set: on('pause'),
    },
    {
      name: 'signal-names',
      summary: 'names beside the numbers of signals in debug lines',
      variable: 'DUMB_INIT_SIGNAL_NAMES=1',
      set: on('signalNames'),
    },
    {
      name: 'log-format',
      argument: 'text|json',
      summary: 'lines with the time, as text or each a JSON object',
      variable: 'DUMB_INIT_LOG_FORMAT',
      takes: 'text or json',
      set: (settings, argument) =>
        put(
          (['text', 'json'] as const).find((format) => format === argument),
          (format) => {
            settings.logFormat = format;
          },
        ),
    },
    {
      name: 'log-exit',
      summary: 'a line that says with which status dumb-init ends, and why',
      variable: 'DUMB_INIT_LOG_EXIT=1',
      set: on('logExit'),
    },
    {
      name: 'warn-zombies',
      summary: 'a line for each orphan that was reaped: what it was, and whose',
      variable: 'DUMB_INIT_WARN_ZOMBIES=1',
      set: on('warnZombies'),
    },
  ] satisfies OptionRow[]
).map((row: OptionRow) => (row.original ? row : { ...row, unabbreviated: true }));
