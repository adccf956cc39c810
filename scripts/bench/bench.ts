/**
 * `make bench`: what dumb-init costs, beside its peers, the Node it is made of and the least that could be frozen
 * in its place (forwarder.ts), in one run.
 *
 * Everything that is compared takes turns, round by round, so that a noisy machine is equally noisy
 * for all: ratios hold where milliseconds don't. BENCH=quick makes fewer rounds of it.
 *
 *   bench.ts OURS NODE PROBE FLOOR      writes results.json, table.md and bench.svg into build/bench
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants, gzipSync } from 'node:zlib';
import { type Figure, percentile, picture, summary, table } from './figures.ts';
import { callsOf, memory, numbers, REPORT, runProbe, samplesOf, threads, words } from './measure.ts';

type Paths = [ours: string, node: string, probe: string, floor: string];
const [ours, node, probe, floor] = process.argv.slice(2).map((path) => resolve(path)) as Paths;
const quick = process.env['BENCH'] === 'quick';
const rounds = (full: number, few: number) => (quick ? few : full);

const NODE = 'node -e 0';
const FLOOR = 'the least, frozen alike';
const OURS = 'dumb-init';
const C = 'dumb-init 1.2.5 (C)';
/** A peer's name, and the words before the command that it runs. */
const INITS: Record<string, string[]> = {
  [OURS]: [ours, '--'],
  [C]: ['/usr/bin/dumb-init', '--'],
  tini: ['/usr/bin/tini', '--'],
  catatonit: ['/usr/bin/catatonit', '--'],
};
const names = Object.keys(INITS);
const withFloor = [...names, FLOOR];
const under = (...command: string[]) => Object.values(INITS).map((init) => [...init, ...command]);
/** The floor can only start one command, and forward. */
const underFloor = (...command: string[]) => [...under(...command), [floor, '--', ...command]];
const IDLE_COMMAND = ['/bin/sleep', '1000'];
const run = (args: (string | number)[], commands: readonly string[][]) => runProbe(probe, args, commands);

/** The lines that begin with each peer's index, one column of them. */
function byName(lines: number[][], who: readonly string[], column: number): Record<string, number[]> {
  return Object.fromEntries(who.map((name, i) => [name, samplesOf(i, lines, column)]));
}

/** Lines that the commands printed themselves: one number, in turn. */
function inTurn(lines: number[][]): Record<string, number[]> {
  const values = lines.filter(({ length }) => length === 1).map(([value]) => value ?? 0);
  return Object.fromEntries(names.map((name, i) => [name, values.filter((_, at) => at % names.length === i)]));
}

const figures: Figure[] = [];
function figure(
  name: string,
  unit: Figure['unit'],
  samples: Record<string, number[]>,
  more: Partial<Figure> = {},
): void {
  const values = Object.fromEntries(Object.entries(samples).map(([who, list]) => [who, summary(list)]));
  figures.push({ name, unit, values, ...more });
  process.stderr.write(`${name}\n`);
}

/** A ratio without a goal. */
const ANY = Number.POSITIVE_INFINITY;

/**
 * The commands, with a copy of each program: how quickly its pages are mapped depends on how the page cache came to
 * hold them, and here all have been written, as an image is when it is unpacked.
 */
function copied(folder: string, commands: readonly string[][]): string[][] {
  return commands.map(([program = '', ...words], i) => {
    copyFileSync(program, `${folder}/${i}`);
    return [`${folder}/${i}`, ...words];
  });
}

function start(): void {
  const folder = mkdtempSync('build/bench/copies-');
  const commands = copied(resolve(folder), [...underFloor(probe, 'first', REPORT), [node, '-e', '0']]);
  execFileSync('sync');
  const figuresOf = (rounds: number, cold: string, which: [first: string, exit: string], more: Partial<Figure>[]) => {
    const lines = run(['start', rounds, cold], commands);
    const exits = byName(lines, [...withFloor, NODE], 2);
    figure(which[0], 'ms', { ...exits, ...byName(lines, withFloor, 1) }, more[0]);
    figure(which[1], 'ms', exits, more[1]);
  };
  figuresOf(
    rounds(60, 9),
    '-',
    ["start to the command's first instruction", 'start to exit'],
    [{ against: { [C]: 1.5, [NODE]: 0.1 } }, { against: { [C]: ANY, [NODE]: ANY } }],
  );
  const cold = { against: { [C]: ANY, [NODE]: ANY }, most: COLD_START };
  figuresOf(
    rounds(10, 3),
    'cold',
    ["start to the command's first instruction, page cache dropped", 'start to exit, page cache dropped'],
    [cold, cold],
  );
  // Now the page cache holds what these starts have read.
  const reread = { against: { [C]: ANY } };
  figuresOf(
    rounds(60, 9),
    '-',
    ["start to the command's first instruction, once read from disk", 'start to exit, once read from disk'],
    [reread, reread],
  );
  rmSync(folder, { recursive: true });
}
/** Of the 90 ms that a start with the page cache dropped took to its exit, when Node still booted in each, 70 %. */
const COLD_START = 63;

/** Counted until the command's own execve(2), over all threads and both processes; its own is the last. */
function systemCalls(): void {
  const folder = mkdtempSync(`${tmpdir()}/bench-`);
  const counts = underFloor(probe, 'first', REPORT).map((command) =>
    Array.from({ length: rounds(5, 3) }, () => {
      execFileSync('strace', ['-f', '-o', `${folder}/calls`, probe, 'start', '1', '-', ...words([command])]);
      return callsOf(readFileSync(`${folder}/calls`, 'latin1'));
    }),
  );
  rmSync(folder, { recursive: true });
  const all = (which: 'toClone' | 'toExec') =>
    Object.fromEntries(withFloor.map((name, i) => [name, counts[i]?.map((count) => count[which]) ?? []]));
  figure("system calls from the exec to the command's clone", '', all('toClone'));
  figure("system calls from the exec to the command's exec", '', all('toExec'), { most: 40 });
}

function forward(): void {
  const commands = underFloor(probe, 'signalled', REPORT);
  const samples = byName(run(['forward', rounds(5000, 500), 500, 3], commands), withFloor, 1);
  figure('forwarding a signal', 'µs', samples, { against: { [C]: 1.5, [FLOOR]: ANY } });
  const p99 = Object.fromEntries(Object.entries(samples).map(([name, list]) => [name, [percentile(list, 99)]]));
  figure('forwarding a signal, p99', 'µs', p99, { against: { [C]: 2, [FLOOR]: ANY } });
}

/** What many signals, one after the other, cost and leave behind. */
async function many(): Promise<void> {
  const n = rounds(100_000, 10_000);
  const { held, release } = await hold(underFloor(probe, 'signalled', REPORT), n);
  const each = (value: (init: Held) => number) =>
    Object.fromEntries(held.map((init, i) => [withFloor[i], [value(init)]]));
  figure(
    'CPU time of a signal',
    'µs',
    each(({ cpu }) => cpu / n),
    { against: { [FLOOR]: 1.5, [C]: ANY } },
  );
  figure(
    `after ${n.toLocaleString('en')} signals: private memory`,
    'MiB',
    each(({ pid }) => memory(pid, 'Anonymous')),
    { most: 3 },
  );
  release();
}

function reaping(): void {
  const reap = (how: string, n: number, times: number) =>
    inTurn(run(['start', times, '-'], under(probe, how, String(n))));
  figure('1,000 orphans die at once', 'ms', reap('orphans', 1000, rounds(9, 3)), { against: { [C]: 1.1 } });
  if (!quick) figure('10,000 orphans die at once', 'ms', reap('orphans', 10_000, 1), { against: { [C]: ANY } });
  for (const n of quick ? [10, 1000] : [10, 100, 1000, 10_000]) {
    figure(
      `one orphan among ${n.toLocaleString('en')} processes`,
      'µs',
      reap('crowd', n, n < 10_000 ? rounds(3, 1) : 1),
      { against: { [C]: ANY } },
    );
  }
}

interface Held {
  pid: number;
  /** Nanoseconds that the signals took it. */
  cpu: number;
}

/** Starts the commands, each as PID 1 of its own namespace, and sends them signals; `release` ends them. */
async function hold(commands: readonly string[][], signals = 0): Promise<{ held: Held[]; release: () => void }> {
  const child: ChildProcess = spawn(probe, ['hold', String(signals), ...words(commands)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`the probe has ended with ${code}`);
  });
  let output = '';
  child.stdout?.setEncoding('latin1').on('data', (text: string) => {
    output += text;
  });
  while (output.split('\n').length <= commands.length)
    await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended]);
  const held = numbers(output).map(([, pid = 0, cpu = 0]) => ({ pid, cpu }));
  return { held, release: () => child.stdin?.end() };
}

/** Switches of all threads and CPU time, up to now. */
function activity(pid: number): { switches: number; cpu: number } {
  let switches = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const status = readFileSync(`/proc/${pid}/task/${task}/status`, 'latin1');
    for (const [, n] of status.matchAll(/ctxt_switches:\t([0-9]+)/g)) switches += Number(n);
  }
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return { switches, cpu: (Number(stat[11]) + Number(stat[12])) * 10 }; // ticks of 1/100 s
}

/** The idle minute of all peers is one and the same; beside it, signals wait for the end of theirs. */
async function idle(): Promise<void> {
  const minute = rounds(60, 5);
  const commands = Array(5)
    .fill(under(probe, 'signalled', REPORT))
    .flat();
  const late = spawn(probe, ['forward', '1', '0', String(minute), ...words(commands)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  late.stdout.setEncoding('latin1').on('data', (text: string) => {
    output += text;
  });
  const { held, release } = await hold(under(...IDLE_COMMAND));
  await sleep(3000);
  const before = held.map(({ pid }) => activity(pid));
  await sleep(minute * 1000);
  const after = held.map(({ pid }) => activity(pid));
  const each = (value: (pid: number, i: number) => number) =>
    Object.fromEntries(held.map(({ pid }, i) => [names[i], [value(pid, i)]]));
  const inMemory = (field: string) => each((pid) => memory(pid, field));
  figure('idle: RSS', 'MiB', inMemory('Rss'), { most: 12 });
  figure('idle: PSS', 'MiB', inMemory('Pss'));
  figure('idle: private memory', 'MiB', inMemory('Anonymous'), { most: 1 });
  figure('idle: threads', '', each(threads), { most: 1 });
  const spent = (what: 'switches' | 'cpu') => each((_, i) => (after[i]?.[what] ?? 0) - (before[i]?.[what] ?? 0));
  figure(`idle: context switches in ${minute} seconds`, '', spent('switches'), { most: 0 });
  figure(`idle: CPU time in ${minute} seconds`, 'ms', spent('cpu'));
  release();
  if (late.exitCode === null) await once(late, 'close');
  const lines = numbers(output).map(([index = 0, time = 0]) => [index % names.length, time]);
  figure(`first signal after ${minute} idle seconds`, 'µs', byName(lines, names, 1), { against: { [C]: ANY } });
}

/** What many containers with the same file cost together: PSS divides what they share. */
async function together(): Promise<void> {
  for (const n of quick ? [10] : [1, 10, 50]) {
    const { held, release } = await hold(under(...IDLE_COMMAND).flatMap((command) => Array<string[]>(n).fill(command)));
    await sleep(3000 + n * 150);
    const mean = names.map((_, i) =>
      held.slice(i * n, (i + 1) * n).reduce((total, { pid }) => total + memory(pid, 'Pss') / n, 0),
    );
    const values = Object.fromEntries(names.map((name, i) => [name, [mean[i] ?? 0]]));
    figure(`${n} instance${n === 1 ? '' : 's'}: PSS of each`, 'MiB', values, n > 1 ? { most: 2 } : {});
    release();
    await sleep(2000);
  }
}

function sizes(): void {
  const files = Object.values(INITS).map(([path = '']) => path);
  const all = (size: (path: string) => number) =>
    Object.fromEntries(names.map((name, i) => [name, [size(files[i] ?? '')]]));
  figure(
    'file',
    'MiB',
    all((path) => statSync(path).size),
    { most: 80 },
  );
  figure(
    'file, gzip -9',
    'MiB',
    all((path) => gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION }).length),
  );
  if (quick) return;
  // What dpkg-deb does to the file, which is nearly all of the package.
  const xz = (path: string) => execFileSync('xz', ['-9', '--stdout', path], { maxBuffer: 1 << 28 }).length;
  figure('file, xz -9 (the .deb)', 'MiB', all(xz));
}

const began = Date.now();
execFileSync('sync'); // what is not yet written back stays in the page cache, and is private to whoever maps it
start();
systemCalls();
forward();
await many();
reaping();
await idle();
await together();
sizes();
const seconds = Math.round((Date.now() - began) / 1000);
const where = `Linux ${release().split('.', 2).join('.')}, ${cpus().length} processors of a kind "${cpus()[0]?.model}", ${seconds} seconds.`;
const report = `${table(figures, [...names, NODE, FLOOR], OURS)}\n\n${where}\n`;
console.log(report);
writeFileSync('build/bench/table.md', `\n${report}\n`);
writeFileSync('build/bench/results.json', `${JSON.stringify(figures, null, 2)}\n`);
writeFileSync('build/bench/bench.svg', picture(figures, OURS, C, NODE));
