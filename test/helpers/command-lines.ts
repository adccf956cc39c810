/** Random command lines: a grammar of tokens, and lines that are about each of them. */
import fc, { type Arbitrary } from 'fast-check';

export interface CommandLine {
  argv0: string;
  words: string[];
  env: Record<string, string>;
}

/** What a token adds to a command line. */
export type Piece = Partial<CommandLine>;
export type Grammar = Readonly<Record<string, Arbitrary<Piece>>>;

export const oneOf = <T>(...choices: readonly T[]): Arbitrary<T> => fc.constantFrom(...choices);

/** Words that are next to each other. */
export const words = (...choices: readonly string[][]): Arbitrary<Piece> =>
  oneOf(...choices).map((words) => ({ words }));
/** One word of these. */
export const word = (...choices: readonly string[]): Arbitrary<Piece> => words(...choices.map((choice) => [choice]));
export const variable = (name: string, ...values: readonly string[]): Arbitrary<Piece> =>
  oneOf(...values).map((value) => ({ env: { [name]: value } }));
export const argv0 = (...names: readonly string[]): Arbitrary<Piece> => oneOf(...names).map((argv0) => ({ argv0 }));

/** The line that pieces make, one after the other. */
export const lineOf = (argv0: string, pieces: readonly Piece[]): CommandLine => ({
  argv0: pieces.findLast((piece) => piece.argv0 !== undefined)?.argv0 ?? argv0,
  words: pieces.flatMap(({ words = [] }) => words),
  env: Object.assign({}, ...pieces.map(({ env }) => env)),
});

/** Some of these, `most` at the most. */
export const some = (grammar: Grammar, most: number): Arbitrary<Piece[]> =>
  fc.array(fc.oneof(...Object.values(grammar)), { maxLength: most });

/** Words that are commands when they are taken for one; any other word names none. */
export const COMMANDS = ['run', '-', '--', '-c', '--help', '--verbose', '3', '15:3', 'é'] as const;

const LONG_OPTIONS = ['help', 'single-child', 'rewrite', 'verbose', 'version'] as const;

/** Blanks as isspace(3) has them. */
const blank = oneOf(' ', '\t', '\n', '\v', '\f', '\r');

/** Signals that a rewrite may lead to: KILL and STOP would be the end of the command that tells of it. */
const target = oneOf(...Array.from({ length: 31 }, (_, i) => i + 1).filter((n) => n !== 9 && n !== 19));
const source = fc.integer({ min: 1, max: 31 });

/**
 * What is an error in 1.2.5, or half of it passed over, and has a meaning here. None of it is among
 * the random lines; so neither is any option that 1.2.5 does not have.
 */
export const NEW_MEANINGS = ['64:3', '15:64', 'TERM:QUIT', 'sigterm:rtmin+3', '15:3,1:2', 'HUP:0,TERM:INT'] as const;

/** Texts joined. */
const text = (...parts: readonly (Arbitrary<string | number | bigint> | string)[]): Arbitrary<string> =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((all) => all.join(''));

const pair = text(source, ':', target);

/** The argument of --rewrite: name of a form to how it is written. */
const PAIRS: Readonly<Record<string, Arbitrary<string>>> = {
  'signal to signal': pair,
  'signal to nothing': text(source, ':', oneOf('0', '-0', '+0', '000')),
  'signs and zeros': text(oneOf('+', '0', '+00'), source, ':', oneOf('+', '0'), '3'),
  'blanks before numbers': text(blank, source, ':', blank, '3'),
  'blank before the colon': text(source, blank, ':3'),
  'a tail': text(source, ':3', oneOf('junk', ':5', ' ', '.5', 'x', '\n', '-')),
  'wraps into range': text(
    source.map((n) => 2 ** 32 + n),
    ':',
    oneOf(-(2 ** 32) + 3, 2 ** 33 + 3),
  ),
  'beyond long': text('15:', oneOf('9223372036854775808', '-9223372036854775808', '9'.repeat(40))),
  hexadecimal: oneOf('0x1:3', '15:0x3', '0xf:0x1', '1:0X2'),
  'signal out of range': text(oneOf(0, -1, 32, 65, 256 + 15, 2147483648), ':3'),
  'target out of range': text('15:', oneOf(-1, 32, 65, 99, 2147483648)),
  'a missing part': oneOf('', ':', '15', '15:', ':3', ' ', '15: ', '+:3', '15:-'),
  'another separator': oneOf('15::3', '15=3', '15,3', '15 3', '15.3', '15;3'),
};

/** An option and its argument in each of the ways to write them. */
const rewrite = (argument: Arbitrary<string>): Arbitrary<Piece> =>
  fc.tuple(argument, fc.integer({ min: 1, max: 7 }), fc.nat(5)).map(([argument, length, way]) => {
    const long = `--${'rewrite'.slice(0, length)}`;
    const ways = [['-r', argument], [`-r${argument}`], [long, argument], [`${long}=${argument}`], ['-cr', argument]];
    return { words: ways[way] ?? [`-vr${argument}`] };
  });

/** Words with a pair among them, for which `PAIR` stands. */
const withPair = (...choices: readonly string[][]): Arbitrary<Piece> =>
  fc
    .tuple(oneOf(...choices), pair)
    .map(([words, pair]) => ({ words: words.map((each) => each.replace('PAIR', pair)) }));

/** After these the parser goes on. */
const HARMLESS: Grammar = {
  '-c': word('-c'),
  '-v': word('-v'),
  '-r PAIR': withPair(['-r', 'PAIR']),
  '-rPAIR': withPair(['-rPAIR']),
  '--single-child': word('--single-child'),
  '--verbose': word('--verbose'),
  '--rewrite PAIR': withPair(['--rewrite', 'PAIR']),
  '--rewrite=PAIR': withPair(['--rewrite=PAIR']),
  'bundle of flags': word('-cv', '-vc', '-ccvv'),
  'bundle that ends in an argument': withPair(['-cr', 'PAIR'], ['-crPAIR'], ['-vcr', 'PAIR'], ['-vrPAIR']),
  'unique abbreviation': withPair(['--s'], ['--sing'], ['--single-chil'], ['--verb'], ['--r=PAIR'], ['--rew', 'PAIR']),
};

/** These end the options, one way or another. */
const FINAL: Grammar = {
  '-h': word('-h'),
  '-V': word('-V'),
  '--help': word('--help'),
  '--version': word('--version'),
  'abbreviated help or version': word('--h', '--hel', '--vers', '--versio'),
  'ambiguous abbreviation': word('--v', '--ve', '--ver', '--ver=', '--v=1', '--=', '--=3', '--v\n'),
  'unknown long option': word(
    ...['--yolo', '--yolo=3', '--helpx', '--Help', '--single_child', '---', '--é', '--rewrite15:3', '-- '],
  ),
  'unknown letter': word(...[...'zCR:;?W= é\n+1'].map((letter) => `-${letter}`)),
  'unknown letter in a bundle': word('-cz', '-vz', '-czh', '-c-', '-c-v', '-v=1', '-hz'),
  'bundle with a final letter': word('-ch', '-vV', '-hV', '-Vh', '-cvh'),
  'bundle whose argument looks like flags': word('-rcv', '-rv15:3', '-crh', '-r=15:3'),
  'argument that is not allowed': word(
    ...['help', 'single-child', 'verbose', 'version', 'h', 'sing'].flatMap((name) => [`--${name}=`, `--${name}=1`]),
  ),
  'option as the argument': words(
    ...['-r', '--rewrite'].flatMap((option) => ['-v', '--', '--help', ''].map((argument) => [option, argument])),
  ),
};

/** Nothing comes after these. */
const LAST: Grammar = {
  '-r without argument': word('-r', '-cr', '-vcr'),
  '--rewrite without argument': word(...[1, 2, 3, 4, 5, 6, 7].map((length) => `--${'rewrite'.slice(0, length)}`)),
  'no command': words([]),
  '-- without command': word('--'),
};

const ARGUMENTS = [
  ...['-c', '-v', '-h', '-z', '-r', '--', '-', '', '--help', '--yolo', '15:3', 'a b', '"\\', '\x01é'],
] as const;

const OTHERS: Grammar = {
  '--': words(...COMMANDS.map((command) => ['--', command])),
  '-': word('-'),
  'empty word': word(''),
  'command that does not exist': word('absent', '31', 'rewrite', ' run', '=', ':', 'é%n%s'),
  'command with options behind it': fc
    .array(oneOf(...ARGUMENTS), { minLength: 1, maxLength: 4 })
    .map((after) => ({ words: ['run', ...after] })),
  'long option cut anywhere': word(
    ...LONG_OPTIONS.flatMap((name) => Array.from(name, (_, i) => `--${name.slice(0, i + 1)}`)),
  ),
  'DUMB_INIT_DEBUG=1': variable('DUMB_INIT_DEBUG', '1'),
  'DUMB_INIT_DEBUG otherwise': variable('DUMB_INIT_DEBUG', '', '0', '2', '01', '1 ', ' 1', 'true', '+1'),
  'DUMB_INIT_SETSID=0': variable('DUMB_INIT_SETSID', '0'),
  'DUMB_INIT_SETSID otherwise': variable('DUMB_INIT_SETSID', '', '1', '00', '0 ', '-0', 'false', 'off'),
  'odd argv[0]': argv0('', ' ', '-c', '--help', '%s%n%d', 'é\n', './dumb-init', 'a:b', 'x'.repeat(5000)),
};

const REWRITES: Grammar = Object.fromEntries(
  Object.entries(PAIRS).map(([form, argument]) => [`rewrite: ${form}`, rewrite(argument)]),
);

/** One time in eight. */
const seldom = (piece: Arbitrary<Piece>): Arbitrary<Piece> =>
  fc.oneof({ weight: 7, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: piece });

/**
 * A line that is about a token. Before it come harmless ones only, so that the parser gets there, and after it mostly
 * something to run.
 */
function lineAbout(token: Arbitrary<Piece>, last: boolean): Arbitrary<CommandLine> {
  const before = fc.tuple(seldom(variable('DUMB_INIT_DEBUG', '1')), seldom(variable('DUMB_INIT_SETSID', '0')));
  const after = fc.tuple(
    some(HARMLESS, 1),
    fc.oneof({ weight: 7, arbitrary: word(...COMMANDS) }, { weight: 1, arbitrary: fc.constant({}) }),
    some({ argument: word(...ARGUMENTS) }, 2),
  );
  return fc
    .tuple(before, some(HARMLESS, 2), token, last ? fc.constant(undefined) : after)
    .map(([before, harmless, token, after]) =>
      lineOf('dumb-init', [...before, ...harmless, token, ...(after?.flat() ?? [])]),
    );
}

/** Lines of 1.2.5's language, by what they are about. */
export const LINES: Readonly<Record<string, Arbitrary<CommandLine>>> = {
  ...Object.fromEntries(
    Object.entries({ ...HARMLESS, ...REWRITES, ...FINAL, ...OTHERS }).map(([about, token]) => [
      about,
      lineAbout(token, false),
    ]),
  ),
  ...Object.fromEntries(Object.entries(LAST).map(([about, token]) => [about, lineAbout(token, true)])),
};
