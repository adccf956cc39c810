import t from 'tap';
import { defaultSettings } from '../../src/option-table.ts';
import { type Options, parseOptions } from '../../src/options.ts';
import { parseRewrite } from '../../src/values.ts';

const parse = (words: string[], env: Record<string, string> = {}) =>
  parseOptions(['dumb-init', ...words], (name) => env[name]);

/** What a command line asks for, beyond the defaults; `command` counts from the word behind argv[0]. */
type Asked = Partial<Omit<Options, 'rewrites'>> & { rewrites?: [number, number][] };

const runs: [behaviour: string, words: string[], asked: Asked][] = [
  ['a command', ['run'], {}],
  ['options behind the command are its own', ['run', '-c', '-h'], {}],
  ['-- ends the options', ['-v', '--', '-c'], { command: 3, verbose: true }],
  ['a second -- is the command', ['--', '--'], { command: 2 }],
  ['a single dash is the command', ['-', '-c'], {}],
  ['an empty word is the command', ['', '-c'], {}],
  ['short options', ['-c', '-v', 'run'], { command: 3, singleChild: true, verbose: true }],
  ['a bundle', ['-cv', 'run'], { command: 2, singleChild: true, verbose: true }],
  ['a bundle that ends in an argument', ['-cr15:3', 'run'], { command: 2, singleChild: true, rewrites: [[15, 3]] }],
  ['an argument in the next word', ['-r', '15:3', 'run'], { command: 3, rewrites: [[15, 3]] }],
  ['a long option with =', ['--rewrite=15:3', 'run'], { command: 2, rewrites: [[15, 3]] }],
  ['a long option and the next word', ['--rewrite', '15:3', 'run'], { command: 3, rewrites: [[15, 3]] }],
  [
    'abbreviations',
    ['--s', '--verb', '--rew=1:0', 'run'],
    { command: 4, singleChild: true, verbose: true, rewrites: [[1, 0]] },
  ],
  [
    'the last rewrite of a signal counts',
    ['-r1:2', '-r3:4', '-r1:5', 'run'],
    {
      command: 4,
      rewrites: [
        [1, 5],
        [3, 4],
      ],
    },
  ],
];

for (const [behaviour, words, { rewrites = [], ...asked }] of runs) {
  t.test(`run: ${behaviour}`, async (t) => {
    const fromEnvironment = { debug: false, noSetsid: false };
    const options = { ...defaultSettings(), command: 1, fromEnvironment, ...asked };
    t.strictSame(parse(words), { kind: 'run', options: { ...options, rewrites: new Map(rewrites) } });
  });
}

const errors: [behaviour: string, words: string[], text: string][] = [
  ['unknown long option', ['--yolo=1'], "unrecognized option '--yolo=1'"],
  ['unknown letter', ['-cz'], "invalid option -- 'z'"],
  ['a missing argument', ['-cr'], "option requires an argument -- 'r'"],
  ['a missing argument of a long option', ['--rew'], "option '--rewrite' requires an argument"],
  ['an argument that is not allowed', ['--hel='], "option '--help' doesn't allow an argument"],
  ['ambiguity', ['--ver'], "option '--ver' is ambiguous; possibilities: '--verbose' '--version'"],
  ['the first failure wins', ['-z', '--yolo', '-h'], "invalid option -- 'z'"],
];

for (const [behaviour, words, text] of errors) {
  t.test(`usage error: ${behaviour}`, async (t) => {
    t.strictSame(parse(words), { kind: 'usageError', text: `dumb-init: ${text}\n`, status: 1 });
  });
}

t.test('usage error: no command, or a bad rewrite', async (t) => {
  for (const words of [[], ['--'], ['-v', '-c']])
    t.match(parse(words), { kind: 'usageError', text: /^Usage: dumb-init / });
  for (const pair of ['', '15', '0:3', '15:32']) t.match(parse(['-r', pair]), { text: /^Usage: -r option takes/ });
});

t.test('help and version end the parsing', async (t) => {
  t.match(parse(['-h', '-z']), { kind: 'help', status: 0 });
  t.match(parse(['-cV', '--yolo']), { kind: 'version', status: 0 });
});

t.test('messages carry argv[0] as it was given, none included', async (t) => {
  t.match(
    parseOptions(['', '-z'], () => undefined),
    { text: ": invalid option -- 'z'\n" },
  );
  t.match(
    parseOptions([], () => undefined),
    { text: /^Usage: {2}\[option\]/ },
  );
});

t.test('the environment means debug by exactly 1, and no setsid by exactly 0', async (t) => {
  const options = (env: Record<string, string>, ...words: string[]) => {
    const parsed = parse([...words, 'run'], env);
    return parsed.kind === 'run' ? parsed.options : undefined;
  };
  t.match(options({ DUMB_INIT_DEBUG: '1' }), { verbose: true, fromEnvironment: { debug: true } });
  t.match(options({ DUMB_INIT_SETSID: '0' }), { singleChild: true, fromEnvironment: { noSetsid: true } });
  for (const value of ['', '2', '01', ' 1', 'true']) t.match(options({ DUMB_INIT_DEBUG: value }), { verbose: false });
  for (const value of ['', '1', '00', ' 0', 'no'])
    t.match(options({ DUMB_INIT_SETSID: value }), { singleChild: false });
  t.match(options({ DUMB_INIT_SETSID: '1' }, '-c'), { singleChild: true }, 'it does not undo -c');
});

const rewrites: [text: string, pair: [number, number] | undefined][] = [
  ['1:31', [1, 31]],
  ['31:0', [31, 0]],
  ['15:3junk', [15, 3]],
  [' +15: 3', [15, 3]],
  ['\t\n\v\f\r15:-0', [15, 0]],
  ['0015:003', [15, 3]],
  ['4294967311:-4294967293', [15, 3]], // an int keeps the low 32 bits
  ['15:-9223372036854775809', [15, 0]], // a number beyond long is its limit, the low bits of which are 0
  ['15:9223372036854775808', undefined], // and here -1
  ['0:3', undefined],
  ['32:3', undefined],
  ['15:32', undefined],
  ['15:-1', undefined],
  ['15 :3', undefined],
  ['0x1:3', undefined],
  ['15:0x3', [15, 0]],
  ['+ 15:3', undefined],
  ['15::3', undefined],
  ['15', undefined],
  ['', undefined],
];

t.test('a rewrite is read as sscanf("%d:%d") does', async (t) => {
  for (const [text, pair] of rewrites) t.strictSame(parseRewrite(text), pair, JSON.stringify(text));
});
