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
import { EHDR_SIZE, type Elf, fileOffset, PHDR_SIZE, parseElf } from '../../scripts/build/elf.ts';
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

/** What a damaged executable says, with status 1. */
const SAID = '[dumb-init] The executable is truncated or damaged. Exiting.\n';

/** What comes of a damaged executable. It may not hang; nor end in any other way than these. */
async function outcome(path: string): Promise<'worked' | 'refused' | 'said' | 'killed'> {
  // By execve(2), which takes no file for a shell script.
  const { status, stdout, stderr } = await run(fixture('situation'), ['--', path, '/bin/sh', '-c', 'exit 7']);
  if (status === 7 && stderr === '') return 'worked';
  // The line itself may have been cut off.
  if (status === 1 && stdout === '' && stderr !== '' && SAID.startsWith(stderr.replace(/\0+$/, ''))) return 'said';
  if (status > 128 && stdout === '' && stderr === '') return 'killed'; // by the kernel, for what it was made to do
  if (status === 99) return 'refused'; // by the kernel's execve
  throw new Error(`status ${status}\n${stdout}${stderr}`);
}

/** A copy of the executable, which may be damaged. */
function copyOf(t: Test): string {
  const folder = mkdtempSync('build/test/damaged-');
  t.teardown(() => rmSync(folder, { recursive: true }));
  copyFileSync(OURS, `${folder}/dumb-init`);
  return `${folder}/dumb-init`;
}

const inWords = (outcomes: readonly string[]) =>
  ['said', 'refused', 'killed'].map((word) => `${outcomes.filter((one) => one === word).length} ${word}`).join(', ');

/** The beginning of the executable, with its headers. */
function beginning(): Elf {
  const bytes = Buffer.alloc(0x10000);
  const fd = openSync(OURS, 'r');
  readSync(fd, bytes, 0, bytes.length, 0);
  closeSync(fd);
  return parseElf(bytes, OURS);
}

/** Where something of the thaw's is in the executable. */
function placeOf(section: '.text' | '.payload') {
  const found = parseElf(readFileSync(`build/${machine()}/thaw`), 'thaw').sections.get(section);
  if (!found) throw new Error(`the thaw has no ${section}`);
  const start = fileOffset(beginning(), found.vaddr);
  return { start, end: start + found.size };
}

/** Bits of a file, as numbers: some of those from byte `start` to byte `end`. */
function someBits(start: number, end: number, count: number, seed: number): number[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => start * 8 + random.below((end - start) * 8));
}

/** The outcome of each of these bits flipped. */
async function flipped(t: Test, bits: readonly number[]): Promise<string[]> {
  const path = copyOf(t);
  const outcomes: string[] = [];
  for (const bit of bits) {
    flip(path, bit);
    outcomes.push(await outcome(path));
    if (outcomes.at(-1) === 'worked') t.fail(`with bit ${bit % 8} of byte ${Math.floor(bit / 8)} flipped it works`);
    flip(path, bit);
  }
  t.equal(await outcome(path), 'worked', 'undamaged again it works');
  return outcomes;
}

t.test(
  'any bit flipped in the ELF headers: it says so or the kernel refuses or ends it, but it never works or hangs',
  async (t) => {
    const size = EHDR_SIZE + PHDR_SIZE * beginning().segments.length;
    // Each bit of the magic number, and of e_entry, which may lead anywhere.
    const bits = [...Array.from({ length: 32 }, (_, i) => i), ...Array.from({ length: 64 }, (_, i) => 24 * 8 + i)];
    const outcomes = await flipped(t, [...bits, ...someBits(0, size, times(4_000, 150), 8)]);
    t.ok(outcomes.includes('said') && outcomes.includes('killed') && outcomes.includes('refused'), inWords(outcomes));
    figure(
      'Hostile input',
      `${outcomes.length} executables with one bit of the headers flipped: ${inWords(outcomes)}, none worked or hung`,
    );
  },
);

t.test("any bit flipped in the thaw's table is noticed, and said in one line", async (t) => {
  const { start, end } = placeOf('.payload');
  const outcomes = await flipped(t, someBits(start, end, times(2_000, 100), 9));
  t.strictSame([...new Set(outcomes)], ['said']);
  figure('Hostile input', `${outcomes.length} with one bit of the thaw's table flipped: each said that it is damaged`);
});

t.test(
  "cut off anywhere behind the thaw's table it says so; before that it says so, or the kernel refuses or ends it",
  async (t) => {
    const path = copyOf(t);
    const random = seeded(10);
    const own = placeOf('.payload').end;
    const longest = statSync(path).size;
    // From the longest to the shortest, for one file is cut again and again; most of them near the beginning.
    const lengths = [longest - 1, longest - 8, longest - 9, own, own - 1, EHDR_SIZE, EHDR_SIZE - 1, 1, 0];
    for (let left = times(200, 30); left > 0; left--) lengths.push(random.below(longest >> random.below(16)));
    const outcomes: string[] = [];
    for (const length of lengths.sort((a, b) => b - a)) {
      truncateSync(path, length);
      const found = await outcome(path);
      outcomes.push(found);
      if (length >= own) t.equal(found, 'said', `cut to ${length}`);
      else t.not(found, 'worked', `cut to ${length}`);
    }
    figure('Hostile input', `${lengths.length} that were cut off somewhere: ${inWords(outcomes)}, none worked or hung`);
  },
);

t.test('the parser of ELF files ends with a result or an error, whatever it is given', async (t) => {
  const whole = readFileSync(`build/${machine()}/thaw`);
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

function flip(path: string, bit: number): void {
  const fd = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  const at = Math.floor(bit / 8);
  readSync(fd, byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ (1 << (bit % 8));
  writeSync(fd, byte, 0, 1, at);
  closeSync(fd);
}
