/** Command lines as long as the kernel allows, and damaged executables. */
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { machine } from 'node:os';
import t, { type Test } from 'tap';
import { EHDR_SIZE, type Elf, fileOffset, PHDR_SIZE, parseElf } from '../../scripts/elf.ts';
import { fixture, OURS, run } from '../helpers/processes.ts';
import { seeded } from '../helpers/random.ts';
import { figure, times } from '../helpers/torture.ts';

t.test('100,000 arguments reach the command, each as it is', async (t) => {
  const count = 100_000;
  const words = Array.from({ length: count }, (_, i) => String(i));
  const { status, stdout } = await run(OURS, ['sh', '-c', 'printf "%s\\n" "$@"', 'sh', ...words]);
  t.equal(status, 0);
  t.equal(stdout, words.map((word) => `${word}\n`).join(''));
});

t.test('100,000 environment variables reach the command', async (t) => {
  const env = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`V${i}`, '']));
  const { status, stdout } = await run(OURS, ['/usr/bin/env'], { env });
  t.equal(status, 0);
  // The runner of the tests adds some of its own.
  t.equal(stdout.split('\n').filter((line) => /^V\d+=$/.test(line)).length, Object.keys(env).length);
});

t.test('words of the greatest length that the kernel takes reach the command', async (t) => {
  const word = 'x'.repeat(32 * 4096 - 1); // MAX_ARG_STRLEN (execve(2))
  const words = Array.from({ length: 12 }, () => word);
  const { status, stdout } = await run(OURS, ['sh', '-c', 'printf %s "$@"', 'sh', ...words]);
  t.equal(status, 0);
  t.equal(stdout.length, words.length * word.length);
});

/** What comes of a damaged executable. It may not hang; nor end as if it were whole. */
async function outcome(path: string): Promise<'worked' | 'refused' | 'killed'> {
  // By execve(2), which takes no file for a shell script.
  const { status, stderr } = await run(fixture('situation'), ['--', path, '/bin/sh', '-c', 'exit 7']);
  if (status === 7) return 'worked';
  // By the kernel, the launcher or the loader.
  if ([99, 1, 127].includes(status) && stderr !== '') return 'refused';
  if (status > 128) return 'killed';
  throw new Error(`status ${status}\n${stderr}`);
}

/** A copy of the executable, which may be damaged. */
function copyOf(t: Test): string {
  const folder = mkdtempSync('build/test/damaged-');
  t.teardown(() => rmSync(folder, { recursive: true }));
  copyFileSync(OURS, `${folder}/dumb-init`);
  return `${folder}/dumb-init`;
}

const inWords = (outcomes: readonly string[]) =>
  ['worked', 'refused', 'killed'].map((word) => `${outcomes.filter((one) => one === word).length} ${word}`).join(', ');

/** The beginning of the executable, with its headers. */
function beginning(): Elf {
  const bytes = Buffer.alloc(0x10000);
  const fd = openSync(OURS, 'r');
  readSync(fd, bytes, 0, bytes.length, 0);
  closeSync(fd);
  return parseElf(bytes, OURS);
}

t.test('damaged ELF headers: it works, is refused or killed, but never hangs', async (t) => {
  const path = copyOf(t);
  const size = EHDR_SIZE + PHDR_SIZE * beginning().segments.length;
  const random = seeded(8);
  const rounds = times(400, 25);
  const outcomes: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const [at, bit] = [random.below(size), random.below(8)];
    flip(path, at, bit);
    outcomes.push(await outcome(path));
    flip(path, at, bit);
  }
  figure('Hostile input', `${rounds} executables with one bit of the headers flipped: ${inWords(outcomes)}, none hung`);
  t.equal(await outcome(path), 'worked', 'undamaged again it works');
});

t.test("any bit flipped in the launcher's table is noticed, and said in one line", async (t) => {
  const path = copyOf(t);
  const table = parseElf(readFileSync(`build/${machine()}/launcher`), 'launcher').sections.get('.payload');
  if (!table) throw new Error('the launcher has no table');
  const start = fileOffset(beginning(), table.vaddr);
  const random = seeded(9);
  const rounds = times(400, 25);
  for (let round = 0; round < rounds; round++) {
    const [at, bit] = [start + random.below(table.size), random.below(8)];
    flip(path, at, bit);
    const { status, stderr } = await run(path, ['sh', '-c', 'exit 7']);
    const expected = { status: 1, stderr: '[dumb-init] The executable is truncated or damaged. Exiting.\n' };
    t.strictSame({ status, stderr }, expected, `bit ${bit} of byte ${at}`);
    flip(path, at, bit);
  }
  figure('Hostile input', `${rounds} with one bit of the launcher's table flipped: each said that it is damaged`);
  t.equal(await outcome(path), 'worked', 'undamaged again it works');
});

t.test('cut off anywhere, it is refused or killed, but never works or hangs', async (t) => {
  const path = copyOf(t);
  const random = seeded(10);
  // From the longest to the shortest, for one file is cut again and again; most of them near the beginning.
  const longest = statSync(path).size;
  const lengths = [longest - 1, EHDR_SIZE, EHDR_SIZE - 1, 1, 0];
  for (let left = times(100, 10); left > 0; left--) lengths.push(random.below(longest >> random.below(16)));
  const outcomes: string[] = [];
  for (const length of lengths.sort((a, b) => b - a)) {
    truncateSync(path, length);
    outcomes.push(await outcome(path));
  }
  t.notOk(outcomes.includes('worked'));
  figure('Hostile input', `${lengths.length} that were cut off somewhere: ${inWords(outcomes)}, none hung`);
});

t.test('launcher and share on random input: nothing for AddressSanitizer or UndefinedBehaviorSanitizer', async (t) => {
  const rounds = times(400, 25);
  // test/sanitized/c-parts.c compares what they make of it, too.
  const result = await run(fixture('c-parts'), ['1', String(rounds)], { limitMs: 10 * 60_000 });
  t.strictSame(result, { status: 0, stdout: '', stderr: '' });
  figure('Hostile input', `${rounds} random inputs to the C parts under AddressSanitizer and UBSan: nothing found`);
});

t.test('the parser of ELF files ends with a result or an error, whatever it is given', async (t) => {
  const whole = readFileSync(`build/${machine()}/launcher`);
  const random = seeded(11);
  const rounds = times(20_000, 2_000);
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = Buffer.from(random.below(3) === 0 ? whole.subarray(0, random.below(whole.length)) : whole);
    const from = random.pick([0, 0, 0, Number(whole.readBigUInt64LE(40))]); // in the headers of sections, too
    for (let left = random.below(4); left > 0 && bytes.length > 0; left--) {
      const at = Math.min(from + random.below(1024), bytes.length - 1);
      bytes[at] = random.pick([0, 1, 0x7f, 0xff, (bytes[at] ?? 0) ^ (1 << random.below(8))]);
    }
    try {
      parseElf(bytes, 'damaged');
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      refused++;
    }
  }
  t.ok(refused > 0 && refused < rounds);
  figure(
    'Hostile input',
    `${rounds} damaged ELF files given to the parser of the build: ${refused} refused, none hung`,
  );
});

function flip(path: string, at: number, bit: number): void {
  const fd = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ (1 << bit);
  writeSync(fd, byte, 0, 1, at);
  closeSync(fd);
}
