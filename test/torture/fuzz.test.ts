/**
 * Command lines and variables found by coverage: what takes the parsers somewhere new is kept and
 * changed again. SEED=n varies them.
 */
import { type Profiler, Session } from 'node:inspector';
import t from 'tap';
import { getopt } from '../../src/getopt.ts';
import { OPTIONS } from '../../src/option-table.ts';
import { parseOptions } from '../../src/options.ts';
import { SIGKILL, SIGNALS, SIGSTOP } from '../../src/signals.ts';
import { parseRewrite, parseRewrites } from '../../src/values.ts';
import { COMMANDS, type CommandLine } from '../helpers/command-lines.ts';
import { concurrently } from '../helpers/concurrently.ts';
import { decided, promised, witnesses } from '../helpers/decisions.ts';
import { ORACLE } from '../helpers/processes.ts';
import { type Random, seeded } from '../helpers/random.ts';
import { figure, times } from '../helpers/torture.ts';

const seed = Number(process.env['SEED'] ?? 1);

/** The code that reads what a user writes. */
const READERS = /\/src\/(getopt|options|option-table|values|signals)\.ts$/;

/** What was executed since the last call: places in the code, each with the magnitude of its count. */
function coverage(session: Session): string[] {
  let scripts: Profiler.ScriptCoverage[] = [];
  session.post('Profiler.takePreciseCoverage', (error, { result }) => {
    if (error) throw error;
    scripts = result;
  });
  return scripts.flatMap(({ url, functions }) =>
    !READERS.test(url)
      ? []
      : functions.flatMap(({ ranges }) =>
          ranges
            .filter(({ count }) => count > 0)
            .map(
              ({ startOffset, endOffset, count }) =>
                `${url} ${startOffset}-${endOffset} ${Math.min(8, 32 - Math.clz32(count))}`,
            ),
        ),
  );
}

const CHARACTERS = [...'-=:,+0123456789aehiprsvwzACHMRT \t\n?;%é'];
const VALUES = [
  '15:3',
  '1:0',
  'TERM:QUIT',
  'rtmin+3:0',
  '5s',
  'TERM=5s',
  '500ms',
  '143:0',
  '9'.repeat(30),
  '4294967311:3',
];
const TOKENS = [
  ...[...COMMANDS, 'run', 'json', 'text', '-r', '-cv', '-h', '-V', '-v', '0', '1', '31', '32', '255'],
  ...[...OPTIONS.map(({ name }) => `--${name}`), ...SIGNALS.map(({ name }) => name), ...VALUES],
];
const ADDED = OPTIONS.filter(({ original }) => !original);
const VARIABLES = OPTIONS.flatMap(({ variable }) => variable?.split('=')[0] ?? []);

type Change = (words: string[], random: Random, others: readonly CommandLine[]) => void;
const somewhere = (words: readonly string[], random: Random) => random.below(words.length + 1);

/** Changes of a word at a place, by what is made of it. */
const ofWord =
  (change: (word: string, random: Random) => string): Change =>
  (words, random) => {
    const at = random.below(words.length || 1);
    words[at] = change(words[at] ?? '', random).slice(0, 200);
  };
const spliced = (word: string, random: Random, cut: number, put: string) => {
  const at = random.below(word.length + 1);
  return word.slice(0, at) + put + word.slice(at + cut);
};

const CHANGES: readonly Change[] = [
  (words, random) => words.splice(somewhere(words, random), 0, random.pick(TOKENS)),
  (words, random) => words.splice(somewhere(words, random), 1),
  (words, random, others) => words.splice(somewhere(words, random), 9, ...random.pick(others).words),
  ofWord((word, random) => spliced(word, random, 0, random.pick(CHARACTERS))),
  ofWord((word, random) => spliced(word, random, 1, random.pick(CHARACTERS))),
  ofWord((word, random) => spliced(word, random, 1, '')),
  ofWord((word, random) => spliced(word, random, 0, random.pick(TOKENS))),
  ofWord((word, random) => `${word}${random.pick(['=', ',', ':'])}${random.pick(TOKENS)}`),
  ofWord((word, random) => word.repeat(1 + random.below(3))),
];

/** Another command line, a few changes away. */
function changed(line: CommandLine, random: Random, others: readonly CommandLine[]): CommandLine {
  const words = [...line.words];
  const env = { ...line.env };
  for (let left = 1 + random.below(4); left > 0; left--) {
    if (random.below(6) > 0) {
      random.pick(CHANGES)(words, random, others);
    } else {
      const name = random.pick(VARIABLES);
      const value = [random.pick(['0', '1', env[name] ?? '', ...VALUES])];
      ofWord((word) => (random.below(2) ? word : spliced(word, random, 1, random.pick(CHARACTERS))))(
        value,
        random,
        others,
      );
      if (random.below(4) === 0) delete env[name];
      else env[name] = value[0] ?? '';
    }
  }
  return { argv0: line.argv0, words: words.slice(0, 20), env };
}

/** As 1.2.5 can be asked about it: without our variables, our options and our ways to write a rewrite. */
function forOracle({ argv0, words, env }: CommandLine): CommandLine | undefined {
  for (const found of getopt([argv0, ...words], { options: OPTIONS, long: true, permute: false })) {
    if ('error' in found) {
      if (ADDED.some(({ name }) => found.error.includes(`'--${name}'`))) return undefined;
      break; // the first failure wins
    }
    const { row, argument } = found;
    if (!row.original) return undefined;
    if (row.name === 'rewrite') {
      const pair = parseRewrite(argument);
      if (JSON.stringify(parseRewrites(argument)) !== JSON.stringify(pair && [pair])) return undefined;
      if (pair && [SIGKILL, SIGSTOP].includes(pair[1])) return undefined; // the witness could not tell
    }
    if (row.name === 'help' || row.name === 'version') break;
  }
  const known = Object.entries(env).filter(([name]) => /^DUMB_INIT_(DEBUG|SETSID)$/.test(name));
  return { argv0, words, env: Object.fromEntries(known) };
}

const { give } = witnesses(t);

t.test('the parsers end with a result that makes sense, and with that of 1.2.5', async (t) => {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  t.teardown(() => session.disconnect());

  const random = seeded(seed);
  const seen = new Set<string>();
  const kept: CommandLine[] = [{ argv0: 'dumb-init', words: [], env: {} }];
  const kinds = new Map<string, number>();
  const rounds = times(10_000, 1_000);
  coverage(session);
  for (let round = 0; round < rounds; round++) {
    const line = changed(random.pick(kept), random, kept);
    const argv = [line.argv0, ...line.words].map((word) => Buffer.from(word).toString('latin1'));
    const parsed = parseOptions(argv, (name) => line.env[name]);
    kinds.set(parsed.kind, (kinds.get(parsed.kind) ?? 0) + 1);
    const sound =
      parsed.kind === 'run'
        ? parsed.options.pause || argv[parsed.options.command] !== undefined
        : parsed.text.endsWith('\n') && parsed.status === (parsed.kind === 'usageError' ? 1 : 0);
    if (!sound) t.fail(JSON.stringify({ line, parsed }));
    const places = coverage(session).filter((place) => !seen.has(place));
    for (const place of places) seen.add(place);
    if (places.length > 0) kept.push(line);
  }
  t.strictSame([...kinds.keys()].sort(), ['help', 'run', 'signals', 'usageError', 'version']);

  const asked = kept.flatMap((line) => forOracle(line) ?? []);
  const different = await concurrently(asked, async (line) => {
    const [ours, theirs] = [promised(parseOptions, line), decided(await give(ORACLE, line))];
    return JSON.stringify(ours) === JSON.stringify(theirs) ? [] : [{ line, ours, theirs }];
  });
  t.strictSame(different.flat().slice(0, 5), [], `SEED=${seed}`);
  t.ok(asked.length > 20, `${asked.length} command lines for 1.2.5`);
  const blocks = new Set([...seen].map((place) => place.replace(/ \d+$/, ''))).size;
  figure(
    'Hostile input',
    `${rounds} command lines guided by coverage (SEED=${seed}): ${kept.length} kept for ${blocks} places in the code; ${asked.length} of them are of 1.2.5's language, and decided as by 1.2.5`,
  );
});
