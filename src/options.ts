/** Command line and environment to what shall be done. Pure: nothing is printed or ended here. */
import { type Found, getopt } from './getopt.ts';
import type { Format } from './log.ts';
import * as messages from './messages.ts';
import { defaultSettings, OPTIONS, type OptionRow, type Settings } from './option-table.ts';

/** How to run the command. */
export interface Options extends Readonly<Settings> {
  /** Where in argv the command stands. */
  readonly command: number;
  /** Where its words stand, if not all behind each other from there to the end. */
  readonly operands?: readonly number[];
  /** What the environment changed, for the debug lines. */
  readonly fromEnvironment: { readonly debug: boolean; readonly noSetsid: boolean };
}

/** A text and an exit status, or a command to run. */
export type Parsed<O extends Options = Options> =
  | { kind: 'run'; options: O }
  /** The text goes to stderr, as everything that 1.2.5 says, unless it is for stdout. */
  | { kind: 'help' | 'version' | 'signals'; text: string; status: 0; stdout?: true }
  /** `logFormat`: how the text is to be written, if that was said. */
  | { kind: 'usageError'; text: string; status: 1; logFormat?: Format };

/** getenv(3). */
export type Environment = (name: string) => string | undefined;

/**
 * @param argv the words of the command line, bytes as latin1 characters; argv[0] names the program
 * @param environment looks up an environment variable, as getenv(3)
 */
export function parseOptions(argv: readonly string[], environment: Environment): Parsed {
  const argv0 = argv[0] ?? '';
  const settings = defaultSettings();
  // Before the options, which have the last word; but its mistakes count after theirs.
  const mistake = readEnvironment(argv0, settings, environment);

  const words = getopt(argv, { options: OPTIONS, long: true, permute: false });
  const usageError = (text: string): Parsed => {
    setLogFormat(settings, words);
    const { logFormat } = settings;
    return { kind: 'usageError', text, status: 1, ...(logFormat ? { logFormat } : {}) };
  };
  let step = words.next();
  for (; !step.done; step = words.next()) {
    const found = step.value;
    if ('error' in found) return usageError(found.error);
    const { row, argument } = found;
    switch (row.name) {
      case 'help':
        return { kind: 'help', text: messages.help(argv0), status: 0 };
      case 'help-all':
        return { kind: 'help', text: messages.helpAll(argv0), status: 0, stdout: true };
      case 'version':
        return { kind: 'version', text: messages.version(), status: 0 };
      case 'list-signals':
        return { kind: 'signals', text: messages.signalList(), status: 0, stdout: true };
    }
    if (!row.set?.(settings, argument)) {
      // 1.2.5 has this text for a bad rewrite
      const text =
        row.name === 'rewrite' ? messages.badRewrite() : badValue(argv0, `option '--${row.name}'`, row, argument);
      return usageError(text);
    }
  }
  const [command] = step.value;
  if (command === undefined && !settings.pause) return usageError(messages.noCommand(argv0));
  if (mistake !== undefined) return usageError(mistake);
  if (command !== undefined && settings.pause) return usageError(messages.pauseWithCommand(argv0));

  const debug = environment('DUMB_INIT_DEBUG') === '1';
  const noSetsid = environment('DUMB_INIT_SETSID') === '0';
  settings.verbose ||= debug;
  settings.singleChild ||= noSetsid;
  const fromEnvironment = { debug, noSetsid };
  return { kind: 'run', options: { ...settings, command: command ?? argv.length, fromEnvironment } };
}

/** A mistake is written as it is asked for after it, too. */
function setLogFormat(settings: Settings, rest: Iterable<Found<OptionRow>>): void {
  for (const found of rest) {
    if ('row' in found && found.row.name === 'log-format') found.row.set?.(settings, found.argument);
  }
}

const badValue = (argv0: string, what: string, { takes = '' }: OptionRow, value: string) =>
  messages.badValue(argv0, what, takes, value);

/** The variables of the table, but for 1.2.5's own two: with the option's value, or with a 1 that turns it on. */
const VARIABLES = OPTIONS.flatMap((row) => {
  const [name, on] = row.variable?.split('=') ?? [];
  return name === undefined || (row.original && on !== undefined) ? [] : [{ row, name, on }];
});

/**
 * The variables of the table. An empty one is as good as none; 1.2.5's own two are read elsewhere.
 *
 * @returns the message of the first mistake
 */
function readEnvironment(argv0: string, settings: Settings, environment: Environment): string | undefined {
  let mistake: string | undefined;
  for (const { row, name, on } of VARIABLES) {
    const value = environment(name);
    if (!value) continue;
    if (on === undefined) {
      if (!row.set?.(settings, value)) mistake ??= badValue(argv0, name, row, value);
    } else if (value === on) {
      row.set?.(settings, '');
    } else if (value !== '0') {
      mistake ??= messages.badValue(argv0, name, '1 or 0', value);
    }
  }
  return mistake;
}
