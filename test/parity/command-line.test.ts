/**
 * The command line, held against dumb-init 1.2.5: hand-picked cases, then random ones.
 *
 * Every random line is given to 1.2.5, to our executable and to our parser (in this process). What 1.2.5
 * was seen to do, its effects on the command included, must be what the parser says; and of the
 * executable's output every byte counts. SEED=n and LINES=n set the rest.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { parseOptions } from '../../src/options.ts';
import { type CommandLine, LINES } from '../helpers/command-lines.ts';
import { concurrently } from '../helpers/concurrently.ts';
import { decided, mask, promised, witnesses } from '../helpers/decisions.ts';
import { OF_CHILD } from '../helpers/parity.ts';
import { ORACLE, OURS, type Result } from '../helpers/processes.ts';
import { firstDifference, samples } from '../helpers/samples.ts';

const seed = Number(process.env['SEED'] ?? 1);
const count = Number(process.env['LINES'] ?? 2600);

const { folder, give } = witnesses(t);

/** A result of either program in a form that is the same for both: the child's lines come anywhere among the parent's. */
function comparable({ status, stdout, stderr }: Result) {
  const lines = mask(stderr).split('\n');
  return {
    status,
    stdout,
    parent: lines.filter((line) => !OF_CHILD.test(line)).join('\n'),
    child: lines.filter((line) => OF_CHILD.test(line)).join('\n'),
  };
}

const show = ({ argv0, words, env }: CommandLine) => JSON.stringify({ ...env, argv: [argv0, ...words] });

/** What there is to test, and command lines (behind argv[0]) for it. */
const cases: [behaviour: string, lines: string[][]][] = [
  ['no command', [[], ['--'], ['-c'], ['-v', '--']]],
  ['help and version', [['-h'], ['--help'], ['-V'], ['--version'], ['-vh', 'run'], ['-cV']]],
  ['a command and its arguments', [['run'], ['run', 'a', '', 'b c'], ['run', '-c', '--', '-h'], ['run', '--help']]],
  [
    '-- ends the options',
    [
      ['--', 'run'],
      ['--', '-c', 'run'],
      ['--', '--', 'run'],
      ['-c', '--', '--help'],
    ],
  ],
  [
    'a single dash and an empty word are commands',
    [
      ['-', '-c'],
      ['', 'run'],
      ['-c', '-', 'run'],
    ],
  ],
  ['abbreviations', [['--sing', 'run'], ['--s', 'run'], ['--h'], ['--verb', 'run'], ['--r', '15:3', 'run']]],
  ['ambiguous abbreviations', [['--ver'], ['--v', 'run'], ['--ve=1'], ['--=']]],
  ['bundles', [['-cv', 'run'], ['-cr15:3', 'run'], ['-vcr', '1:0', 'run'], ['-cz'], ['-rc', 'run'], ['-c-v', 'run']]],
  [
    'an option argument',
    [
      ['--rewrite=2:3', 'run'],
      ['--rewrite', '2:3', 'run'],
      ['-r', '2:3', 'run'],
      ['-r2:3', 'run'],
    ],
  ],
  ['a missing argument', [['-r'], ['-cr'], ['--rewrite'], ['--rew'], ['-r', 'run'], ['--rewrite=', 'run']]],
  ['an argument that is not allowed', [['--help=1'], ['--single-child='], ['--vers=2'], ['--s=']]],
  ['unknown options', [['--yolo'], ['--yolo=1'], ['-z'], ['-:'], ['-;'], ['-W', 'x'], ['---'], ['-é'], ['-?']]],
  [
    'the first failure wins',
    [
      ['-z', '--yolo'],
      ['-r', 'x', '-z'],
      ['-z', '-h'],
      ['-h', '-z'],
      ['-c', '-V', '-r', 'x'],
    ],
  ],
  [
    'a later rewrite replaces the earlier',
    [
      ['-r', '15:2', '-r', '15:3', 'run'],
      ['-r1:2', '-r2:1', '-r2:2', 'run'],
    ],
  ],
  [
    'limits of a rewrite',
    [
      ['-r1:31', 'run'],
      ['-r31:0', 'run'],
      ['-r0:3', 'run'],
      ['-r32:3', 'run'],
      ['-r3:32', 'run'],
    ],
  ],
  [
    'signs in a rewrite',
    [['-r+15:+3', 'run'], ['-r15:-0', 'run'], ['-r15:-1', 'run'], ['-r-15:3', 'run'], ['-r+-1:3']],
  ],
  [
    'blanks in a rewrite',
    [
      ['-r', ' \t15:\n3', 'run'],
      ['-r', '15 :3', 'run'],
      ['-r', '15:3 ', 'run'],
      ['-r', '+ 15:3'],
    ],
  ],
  [
    'tails of a rewrite',
    [
      ['-r15:3junk', 'run'],
      ['-r15:3:4', 'run'],
      ['-r15:junk', 'run'],
      ['-rjunk:3', 'run'],
    ],
  ],
  [
    'other bases in a rewrite',
    [
      ['-r0x1:3', 'run'],
      ['-r1:0x3', 'run'],
      ['-r015:08', 'run'],
      ['-r1e1:3', 'run'],
    ],
  ],
  [
    'overflow in a rewrite',
    [
      ['-r4294967311:3', 'run'],
      ['-r-4294967281:3', 'run'],
      ['-r15:4294967296', 'run'],
      ['-r15:9223372036854775808', 'run'],
      ['-r15:-9223372036854775809', 'run'],
      [`-r15:${'1'.repeat(400)}`, 'run'],
    ],
  ],
];

const line = (words: string[], env = {}): CommandLine => ({ argv0: 'dumb-init', words, env });

async function asTheirs(t: Test, lines: CommandLine[]): Promise<void> {
  await concurrently(lines, async (line) => {
    const [theirs, ours] = [await give(ORACLE, line), await give(OURS, line)];
    t.strictSame(comparable(ours), comparable(theirs), show(line));
  });
}

for (const [behaviour, lines] of cases) {
  t.test(`as 1.2.5: ${behaviour}`, (t) =>
    asTheirs(
      t,
      lines.map((words) => line(words)),
    ),
  );
}

t.test('as 1.2.5: argv[0] in messages, whatever it is', (t) => {
  const names = ['', ' ', '-c', '%s%n', 'é\n', './dumb-init', 'x'.repeat(10_000)];
  return asTheirs(
    t,
    names.flatMap((argv0) => [[], ['-h'], ['-z'], ['--ver']].map((words) => ({ argv0, words, env: {} }))),
  );
});

t.test('as 1.2.5: debug and setsid by the environment, with and without the options', (t) => {
  const values = (name: string, all: string[]) => [{}, ...all.map((value) => ({ [name]: value }))];
  const environments = values('DUMB_INIT_DEBUG', ['1', '0', '11']).flatMap((debug) =>
    values('DUMB_INIT_SETSID', ['0', '1', '']).map((setsid) => ({ ...debug, ...setsid })),
  );
  return asTheirs(
    t,
    environments.flatMap((env) => [['run'], ['-v', '-c', '-r', '15:0', 'run']].map((words) => line(words, env))),
  );
});

const lines = samples(LINES, count, seed).map(({ value }) => value);
const observations = concurrently(lines, (line) => give(ORACLE, line));

t.test('random command lines: the parser decides what 1.2.5 does', async (t) => {
  t.comment(`SEED=${seed} LINES=${lines.length}`);
  const differs = async (line: CommandLine) => {
    const [expected, theirs] = [promised(parseOptions, line), decided(await give(ORACLE, line))];
    return JSON.stringify(expected) === JSON.stringify(theirs) ? undefined : { parser: expected, theirs };
  };
  t.strictSame(await firstDifference(LINES, count, seed, differs), undefined, `SEED=${seed}`);
});

t.test('random command lines: the executable does what 1.2.5 does', async (t) => {
  const differs = async (line: CommandLine) => {
    const [ours, theirs] = [comparable(await give(OURS, line)), comparable(await give(ORACLE, line))];
    return JSON.stringify(ours) === JSON.stringify(theirs) ? undefined : { ours, theirs };
  };
  t.strictSame(await firstDifference(LINES, count, seed, differs), undefined, `SEED=${seed}`);
});

/** For how many command lines a parser promises what 1.2.5 does not do. */
async function differences(parse: typeof parseOptions): Promise<number> {
  const theirs = (await observations).map((result) => JSON.stringify(decided(result)));
  return lines.filter((line, i) => JSON.stringify(promised(parse, line)) !== theirs[i]).length;
}

/** Each a change of src/getopt.ts, src/values.ts or src/options.ts that makes one thing wrong. */
const wrongParsers: [what: string, right: string, wrong: string][] = [
  ['knows no abbreviations', 'name?.startsWith(given)', 'name === given'],
  ['takes the first option for an ambiguous abbreviation', 'candidates.length > 1', 'false'],
  [
    'ignores an argument that is not allowed',
    'if (!row.argument) return { error: surplus',
    'if (!row) return { error: surplus',
  ],
  ['takes a single dash for an option', "word === '-' || ", ''],
  [
    'looks for options behind the command',
    'if (!syntax.permute) return from(next);',
    "if (!argv[next + 1]?.startsWith('-')) return from(next);",
  ],
  ['takes -- for the command', '...from(next)];', '...from(next - 1)];'],
  ['takes only one option of a bundle', 'i < word.length; i++', 'i < 2; i++'],
  [
    'takes the last letter alone for the argument in a bundle',
    'word.slice(i + 1) };\n        break',
    'word.slice(-1) };\n        break',
  ],
  ['names a missing argument as an invalid option', 'error: missingArgument', 'error: invalidOption'],
  ['goes on after an error', "if ('error' in found) return", "if ('error' in found) continue; else if (false) return"],
  ['reads hexadecimal', '([+-]?\\d+):', '([+-]?(?:0x[0-9a-f]+|\\d+)):'],
  ['takes 32 for a standard signal', 'to > MAX_STANDARD_SIGNAL', 'to > 32'],
  ['allows no blanks in a rewrite', '/^[ \\t\\n\\v\\f\\r]*', '/^'],
  ['allows a blank before the colon', '+):[ ', '+) *:[ '],
  ['refuses a tail', '([+-]?\\d+)/', '([+-]?\\d+)$/'],
  ['does not wrap an overflow', 'BigInt.asIntN(32, ', '('],
  ['wraps where long ends, too', 'value < min ? min : value > max ? max : value', 'value < min ? value : value'],
  ['keeps the first of several rewrites', 'into.set(...pair)', 'into.has(pair[0]) || into.set(...pair)'],
  [
    'takes any value of DUMB_INIT_DEBUG for on',
    "environment('DUMB_INIT_DEBUG') === '1'",
    "!!environment('DUMB_INIT_DEBUG')",
  ],
  [
    'takes an empty DUMB_INIT_SETSID for 0',
    "environment('DUMB_INIT_SETSID') === '0'",
    "Number(environment('DUMB_INIT_SETSID')) === 0",
  ],
];

/** The files that decide, each of which is copied for a wrong parser. */
const FILES = ['getopt.ts', 'values.ts', 'option-table.ts', 'messages.ts', 'options.ts'];

t.test('the random command lines catch a parser that', async (t) => {
  const sources = FILES.map((name) => ({ name, text: readFileSync(resolve('src', name), 'utf8') }));
  const elsewhere = (text: string) =>
    text.replace(/ from '(\.+\/[^']*)'/g, (from, path: string) =>
      FILES.includes(path.slice(2)) ? from : ` from '${resolve('src', path)}'`,
    );
  for (const [i, [what, right, wrong]] of wrongParsers.entries()) {
    const found = sources.filter(({ text }) => text.split(right).length === 2);
    if (found.length !== 1) throw new Error(`${right} must stand in one of ${FILES}, once`);
    const mutant = join(folder, `wrong-${i}`);
    mkdirSync(mutant);
    for (const { name, text } of sources) {
      const changed = found.some((file) => file.name === name) ? text.replace(right, () => wrong) : text;
      writeFileSync(join(mutant, name), elsewhere(changed));
    }
    const { parseOptions } = (await import(join(mutant, 'options.ts'))) as {
      parseOptions: typeof import('../../src/options.ts').parseOptions;
    };
    const caught = await differences(parseOptions);
    t.ok(caught > 0, `${what}: ${caught} differences`);
  }
});
