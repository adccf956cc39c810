/** Command line and environment to what shall be done. Pure: nothing is printed or ended here. */
import * as messages from './messages.ts';
import { MAX_STANDARD_SIGNAL } from './signals.ts';

/** How to run the command. */
export interface Options {
  /** Where in argv the command stands. */
  command: number;
  verbose: boolean;
  /** Signals go to the direct child alone, which gets no session of its own. */
  singleChild: boolean;
  /** Signal to the signal that is forwarded in its place; 0 drops it. */
  rewrites: ReadonlyMap<number, number>;
  /** What the environment changed, for the debug lines. */
  fromEnvironment: { debug: boolean; noSetsid: boolean };
}

/** A text for stderr and an exit status, or a command to run. */
export type Parsed =
  | { kind: 'run'; options: Options }
  | { kind: 'help' | 'version'; text: string; status: 0 }
  | { kind: 'usageError'; text: string; status: 1 };

type OptionName = 'single-child' | 'rewrite' | 'verbose' | 'help' | 'version';

interface Row {
  name: OptionName;
  letter: string;
  /** What its argument is called, if it takes one. */
  argument?: string;
  /** What it does: in the README, the man page and the shell completions (scripts/documents.ts). */
  summary: string;
  /** The environment variable that does the same. */
  variable?: string;
}

/** In the order in which getopt_long names them when an abbreviation is ambiguous. */
export const OPTIONS: readonly Row[] = [
  { name: 'help', letter: 'h', summary: 'help, on stderr like everything that dumb-init says' },
  {
    name: 'single-child',
    letter: 'c',
    summary: 'signals go to the direct child alone; no new session',
    variable: 'DUMB_INIT_SETSID=0',
  },
  {
    name: 'rewrite',
    letter: 'r',
    argument: 's:r',
    summary: 'signal s becomes r before it is forwarded; 0 drops it; repeatable',
  },
  { name: 'verbose', letter: 'v', summary: 'debug lines on stderr', variable: 'DUMB_INIT_DEBUG=1' },
  { name: 'version', letter: 'V', summary: 'the version' },
];

/** An option as it was met, or the message of what is wrong. */
type Found = { row: Row; argument: string } | { error: string };

/**
 * getopt_long(3) with `+`: options stop at `--` or at the first argument that is none. A generator,
 * because the first failure wins: what follows it is not even looked at.
 *
 * @returns where the arguments that are no options begin
 */
function* getoptLong(argv: readonly string[]): Generator<Found, number> {
  const argv0 = argv[0] ?? '';
  let next = 1;
  for (;;) {
    const word = argv[next];
    if (word === undefined || word === '-' || !word.startsWith('-')) return next;
    next++;
    if (word === '--') return next;
    if (word.startsWith('--')) {
      const found = longOption(argv0, word.slice(2), argv[next]);
      if ('row' in found && found.fromNextWord) next++;
      yield found;
      continue;
    }
    for (let i = 1; i < word.length; i++) {
      const letter = word.charAt(i);
      const row = OPTIONS.find((option) => option.letter === letter);
      if (!row) {
        yield { error: messages.invalidOption(argv0, letter) };
      } else if (!row.argument) {
        yield { row, argument: '' };
      } else if (i + 1 < word.length) {
        yield { row, argument: word.slice(i + 1) };
        break;
      } else {
        const argument = argv[next++];
        yield argument === undefined ? { error: messages.missingArgument(argv0, letter) } : { row, argument };
      }
    }
  }
}

function longOption(argv0: string, text: string, nextWord: string | undefined): Found & { fromNextWord?: boolean } {
  const equals = text.indexOf('=');
  const given = equals < 0 ? text : text.slice(0, equals);
  const candidates = OPTIONS.filter(({ name }) => name.startsWith(given));
  const row = candidates.find(({ name }) => name === given) ?? candidates[0];
  if (!row) return { error: messages.unrecognizedOption(argv0, text) };
  if (row.name !== given && candidates.length > 1) {
    const names = candidates.map(({ name }) => name);
    return { error: messages.ambiguousOption(argv0, text, names) };
  }
  if (equals >= 0) {
    if (!row.argument) return { error: messages.surplusArgument(argv0, row.name) };
    return { row, argument: text.slice(equals + 1) };
  }
  if (!row.argument) return { row, argument: '' };
  if (nextWord === undefined) return { error: messages.missingLongArgument(argv0, row.name) };
  return { row, argument: nextWord, fromNextWord: true };
}

/**
 * Reads `s:r` as `sscanf(text, "%d:%d")` does: blanks before each number, signs, and anything at
 * all after the second; a number beyond `long` is its limit, and an `int` keeps its low 32 bits.
 *
 * @returns the pair, or undefined unless s is in 1..31 and r in 0..31
 */
export function parseRewrite(text: string): [number, number] | undefined {
  const match = /^[ \t\n\v\f\r]*([+-]?\d+):[ \t\n\v\f\r]*([+-]?\d+)/.exec(text);
  if (!match) return undefined;
  const [from, to] = [scanInt(match[1] ?? ''), scanInt(match[2] ?? '')];
  if (from < 1 || from > MAX_STANDARD_SIGNAL || to < 0 || to > MAX_STANDARD_SIGNAL) return undefined;
  return [from, to];
}

function scanInt(digits: string): number {
  const value = BigInt(digits.replace('+', ''));
  const [min, max] = [-(2n ** 63n), 2n ** 63n - 1n];
  return Number(BigInt.asIntN(32, value < min ? min : value > max ? max : value));
}

/**
 * @param argv the words of the command line, bytes as latin1 characters; argv[0] names the program
 * @param environment looks up an environment variable, as getenv(3)
 */
export function parseOptions(argv: readonly string[], environment: (name: string) => string | undefined): Parsed {
  const argv0 = argv[0] ?? '';
  const rewrites = new Map<number, number>();
  let verbose = false;
  let singleChild = false;

  const words = getoptLong(argv);
  let step = words.next();
  for (; !step.done; step = words.next()) {
    const found = step.value;
    if ('error' in found) return { kind: 'usageError', text: found.error, status: 1 };
    switch (found.row.name) {
      case 'help':
        return { kind: 'help', text: messages.help(argv0), status: 0 };
      case 'version':
        return { kind: 'version', text: messages.version(), status: 0 };
      case 'verbose':
        verbose = true;
        break;
      case 'single-child':
        singleChild = true;
        break;
      case 'rewrite': {
        const pair = parseRewrite(found.argument);
        if (!pair) return { kind: 'usageError', text: messages.badRewrite(), status: 1 };
        rewrites.set(...pair);
        break;
      }
    }
  }
  if (step.value >= argv.length) return { kind: 'usageError', text: messages.noCommand(argv0), status: 1 };

  const debug = environment('DUMB_INIT_DEBUG') === '1';
  const noSetsid = environment('DUMB_INIT_SETSID') === '0';
  return {
    kind: 'run',
    options: {
      command: step.value,
      verbose: verbose || debug,
      singleChild: singleChild || noSetsid,
      rewrites,
      fromEnvironment: { debug, noSetsid },
    },
  };
}
