/** Random command lines for dumb-init: a grammar of tokens, and a generator that uses each of them. */
import { type Random, seeded } from './random.ts';

export interface CommandLine {
  argv0: string;
  words: string[];
  env: Record<string, string>;
}

/** Words that are commands when they are taken for one; any other word names none. */
export const COMMANDS = ['run', '-', '--', '-c', '--help', '--verbose', '3', '15:3', 'é'] as const;

const LONG_OPTIONS = ['help', 'single-child', 'rewrite', 'verbose', 'version'] as const;

/** Blanks as isspace(3) has them. */
const BLANKS = [' ', '\t', '\n', '\v', '\f', '\r'] as const;

/** Signals that a rewrite may lead to: KILL and STOP would be the end of the command that tells of it. */
const TARGETS = Array.from({ length: 31 }, (_, i) => i + 1).filter((n) => n !== 9 && n !== 19);

const source = (random: Random) => 1 + random.below(31);

/**
 * What is an error in 1.2.5, or half of it passed over, and has a meaning here. None of it is among
 * the random lines; so neither is any option that 1.2.5 does not have.
 */
export const NEW_MEANINGS = ['64:3', '15:64', 'TERM:QUIT', 'sigterm:rtmin+3', '15:3,1:2', 'HUP:0,TERM:INT'] as const;

/** The argument of --rewrite: name of a form to how it is written. */
const PAIRS: Record<string, (random: Random) => string> = {
  'signal to signal': (random) => `${source(random)}:${random.pick(TARGETS)}`,
  'signal to nothing': (random) => `${source(random)}:${random.pick(['0', '-0', '+0', '000'])}`,
  'signs and zeros': (random) => `${random.pick(['+', '0', '+00'])}${source(random)}:${random.pick(['+', '0'])}3`,
  'blanks before numbers': (random) => `${random.pick(BLANKS)}${source(random)}:${random.pick(BLANKS)}3`,
  'blank before the colon': (random) => `${source(random)}${random.pick(BLANKS)}:3`,
  'a tail': (random) => `${source(random)}:3${random.pick(['junk', ':5', ' ', '.5', 'x', '\n', '-'])}`,
  'wraps into range': (random) => `${2 ** 32 + source(random)}:${random.pick([-(2 ** 32) + 3, 2 ** 33 + 3])}`,
  'beyond long': (random) => `15:${random.pick(['9223372036854775808', '-9223372036854775808', '9'.repeat(40)])}`,
  hexadecimal: (random) => random.pick(['0x1:3', '15:0x3', '0xf:0x1', '1:0X2']),
  'signal out of range': (random) => `${random.pick([0, -1, 32, 65, 256 + 15, 2147483648])}:3`,
  'target out of range': (random) => `15:${random.pick([-1, 32, 65, 99, 2147483648])}`,
  'a missing part': (random) => random.pick(['', ':', '15', '15:', ':3', ' ', '15: ', '+:3', '15:-']),
  'another separator': (random) => random.pick(['15::3', '15=3', '15,3', '15 3', '15.3', '15;3']),
};

/** Adds something to a command line. */
type Token = (line: CommandLine, random: Random) => void;

const words =
  (make: (random: Random) => string[]): Token =>
  (line, random) => {
    line.words.push(...make(random));
  };
const word = (make: (random: Random) => string) => words((random) => [make(random)]);
const literal = (text: string) => words(() => [text]);
const variable =
  (name: string, values: readonly string[]): Token =>
  (line, random) => {
    line.env[name] = random.pick(values);
  };

const pair = (random: Random) => PAIRS['signal to signal']?.(random) ?? '';

/** An option and its argument in each of the ways to write them. */
function rewrite(argument: string, random: Random): string[] {
  const long = `--${'rewrite'.slice(0, 1 + random.below(7))}`;
  return random.pick([
    ['-r', argument],
    [`-r${argument}`],
    [long, argument],
    [`${long}=${argument}`],
    ['-cr', argument],
    [`-vr${argument}`],
  ]);
}

/** After these the parser goes on. */
const HARMLESS: Record<string, Token> = {
  '-c': literal('-c'),
  '-v': literal('-v'),
  '-r PAIR': words((random) => ['-r', pair(random)]),
  '-rPAIR': word((random) => `-r${pair(random)}`),
  '--single-child': literal('--single-child'),
  '--verbose': literal('--verbose'),
  '--rewrite PAIR': words((random) => ['--rewrite', pair(random)]),
  '--rewrite=PAIR': word((random) => `--rewrite=${pair(random)}`),
  'bundle of flags': word((random) => random.pick(['-cv', '-vc', '-ccvv'])),
  'bundle that ends in an argument': words((random) =>
    random.pick([['-cr', pair(random)], [`-cr${pair(random)}`], ['-vcr', pair(random)], [`-vr${pair(random)}`]]),
  ),
  'unique abbreviation': words((random) =>
    random.pick([['--s'], ['--sing'], ['--single-chil'], ['--verb'], [`--r=${pair(random)}`], ['--rew', pair(random)]]),
  ),
};

/** These end the options, one way or another. */
const FINAL: Record<string, Token> = {
  '-h': literal('-h'),
  '-V': literal('-V'),
  '--help': literal('--help'),
  '--version': literal('--version'),
  'abbreviated help or version': word((random) => random.pick(['--h', '--hel', '--vers', '--versio'])),
  'ambiguous abbreviation': word((random) =>
    random.pick(['--v', '--ve', '--ver', '--ver=', '--v=1', '--=', '--=3', '--v\n']),
  ),
  'unknown long option': word((random) =>
    random.pick(['--yolo', '--yolo=3', '--helpx', '--Help', '--single_child', '---', '--é', '--rewrite15:3', '-- ']),
  ),
  'unknown letter': word(
    (random) => `-${random.pick(['z', 'C', 'R', ':', ';', '?', 'W', '=', ' ', 'é', '\n', '+', '1'])}`,
  ),
  'unknown letter in a bundle': word((random) => random.pick(['-cz', '-vz', '-czh', '-c-', '-c-v', '-v=1', '-hz'])),
  'bundle with a final letter': word((random) => random.pick(['-ch', '-vV', '-hV', '-Vh', '-cvh'])),
  'bundle whose argument looks like flags': word((random) => random.pick(['-rcv', '-rv15:3', '-crh', '-r=15:3'])),
  'argument that is not allowed': word(
    (random) =>
      `--${random.pick(['help', 'single-child', 'verbose', 'version', 'h', 'sing'])}=${random.pick(['', '1'])}`,
  ),
  'option as the argument': words((random) => [
    random.pick(['-r', '--rewrite']),
    random.pick(['-v', '--', '--help', '']),
  ]),
};

/** Nothing comes after these. */
const LAST: Record<string, Token> = {
  '-r without argument': word((random) => random.pick(['-r', '-cr', '-vcr'])),
  '--rewrite without argument': word((random) => `--${'rewrite'.slice(0, 1 + random.below(7))}`),
  'no command': () => {},
  '-- without command': literal('--'),
};

const ARGUMENTS = [
  '-c',
  '-v',
  '-h',
  '-z',
  '-r',
  '--',
  '-',
  '',
  '--help',
  '--yolo',
  '15:3',
  'a b',
  '"\\',
  '\x01é',
] as const;

const OTHERS: Record<string, Token> = {
  '--': (line, random) => line.words.push('--', random.pick(COMMANDS)),
  '-': literal('-'),
  'empty word': literal(''),
  'command that does not exist': word((random) => random.pick(['absent', '31', 'rewrite', ' run', '=', ':', 'é%n%s'])),
  'command with options behind it': words((random) => [
    'run',
    ...Array.from({ length: 1 + random.below(4) }, () => random.pick(ARGUMENTS)),
  ]),
  'long option cut anywhere': word((random) => {
    const name = random.pick(LONG_OPTIONS);
    return `--${name.slice(0, 1 + random.below(name.length))}`;
  }),
  'DUMB_INIT_DEBUG=1': variable('DUMB_INIT_DEBUG', ['1']),
  'DUMB_INIT_DEBUG otherwise': variable('DUMB_INIT_DEBUG', ['', '0', '2', '01', '1 ', ' 1', 'true', '+1']),
  'DUMB_INIT_SETSID=0': variable('DUMB_INIT_SETSID', ['0']),
  'DUMB_INIT_SETSID otherwise': variable('DUMB_INIT_SETSID', ['', '1', '00', '0 ', '-0', 'false', 'off']),
  'odd argv[0]': (line, random) => {
    line.argv0 = random.pick(['', ' ', '-c', '--help', '%s%n%d', 'é\n', './dumb-init', 'a:b', 'x'.repeat(5000)]);
  },
};

const REWRITES = Object.fromEntries(
  Object.entries(PAIRS).map(([form, make]) => [
    `rewrite: ${form}`,
    words((random: Random) => rewrite(make(random), random)),
  ]),
);

const TOKENS: Record<string, Token> = { ...HARMLESS, ...REWRITES, ...FINAL, ...LAST, ...OTHERS };

/**
 * Command lines from a seed. Each is about one token, which every token gets to be in turn; before it
 * come harmless ones only, so that the parser gets there, and after it mostly something to run.
 *
 * @returns the lines, and how often each token was what a line is about
 */
export function randomCommandLines(seed: number, count: number): { lines: CommandLine[]; uses: Map<string, number> } {
  const random = seeded(seed);
  const names = Object.keys(TOKENS);
  const uses = new Map(names.map((name) => [name, 0]));
  const lines = Array.from({ length: count }, (_, i) => {
    const name = names[i % names.length] ?? '';
    uses.set(name, (uses.get(name) ?? 0) + 1);
    return lineAbout(name, random);
  });
  return { lines, uses };
}

function lineAbout(name: string, random: Random): CommandLine {
  const line: CommandLine = { argv0: 'dumb-init', words: [], env: {} };
  const add = (token: Token | undefined) => token?.(line, random);
  const harmless = (most: number) => {
    for (let left = random.below(most + 1); left > 0; left--) add(random.pick(Object.values(HARMLESS)));
  };
  for (const setting of ['DUMB_INIT_DEBUG=1', 'DUMB_INIT_SETSID=0']) if (random.below(8) === 0) add(TOKENS[setting]);
  harmless(2);
  add(TOKENS[name]);
  if (name in LAST) return line;
  harmless(1);
  if (random.below(8) > 0) line.words.push(random.pick(COMMANDS));
  for (let left = random.below(3); left > 0; left--) line.words.push(random.pick(ARGUMENTS));
  return line;
}
