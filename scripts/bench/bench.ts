/**
 * `make bench`: what dumb-init costs, beside its peers and the Node it is made of, in one run.
 *
 * Everything that is compared takes turns, round by round, so that a noisy machine is equally noisy
 * for all: ratios hold where milliseconds don't. BENCH=quick makes fewer rounds of it.
 *
 *   bench.ts OURS NODE PROBE EMPTY PHASES FORWARDER      writes results.json, table.md and bench.svg into build/bench
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants, gzipSync } from 'node:zlib';
import seaConfig from '../../sea-config.json' with { type: 'json' };
import { type Figure, percentile, picture, summary, table } from './figures.ts';
import { memory, REPORT, runProbe, samplesOf, threads, words } from './measure.ts';

type Paths = [ours: string, node: string, probe: string, empty: string, phases: string, forwarder: string];
const [ours, node, probe, empty, phases, forwarder] = process.argv.slice(2).map((path) => resolve(path)) as Paths;
const quick = process.env['BENCH'] === 'quick';
const rounds = (full: number, few: number) => (quick ? few : full);

const NODE = 'node -e 0';
const FLOOR = 'the least script, packed alike';
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
const under = (...command: string[]) => Object.values(INITS).map((init) => [...init, ...command]);
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

function start(): void {
  const commands = [...under(probe, 'first', REPORT), [node, '-e', '0'], [empty]];
  const lines = run(['start', rounds(60, 9), '-'], commands);
  const exits = byName(lines, [...names, NODE, FLOOR], 2);
  const first = { ...byName(lines, names, 1), [NODE]: exits[NODE] ?? [], [FLOOR]: exits[FLOOR] ?? [] };
  figure("start to the command's first instruction", 'ms', first, { against: NODE, goal: 0.4 });
  figure('start to exit', 'ms', exits, { against: NODE });
  const cold = run(['start', rounds(10, 3), 'cold'], commands);
  figure('the same with the page cache dropped', 'ms', byName(cold, [...names, NODE, FLOOR], 2), { against: NODE });
  const went = Array.from({ length: rounds(60, 9) }, phasesOfStart);
  ['kernel, launcher, loader', 'Node, OpenSSL, V8 set up', "V8's heap", "Node's modules", 'script'].forEach(
    (name, i) => {
      figure(`of a start: ${name}`, 'ms', { [FLOOR]: went.map((times) => times[i] ?? 0) });
    },
  );
}

/** How long each part of one start took: nanoseconds, from the exec to the first line of a script. */
function phasesOfStart(): number[] {
  const times = execFileSync(probe, ['at', phases], { encoding: 'utf8' }).trim().split(' ').map(Number);
  return times.slice(1).map((time, i) => time - (times[i] ?? 0));
}

function forward(): void {
  const command = [probe, 'signalled', REPORT];
  const lines = run(['forward', rounds(2000, 300), 500, 0], [...under(...command), [forwarder, '--', ...command]]);
  const samples = byName(lines, [...names, FLOOR], 1);
  figure('forwarding a signal', 'µs', samples, { against: C, goal: 1.3 });
  const p99 = Object.fromEntries(Object.entries(samples).map(([name, list]) => [name, [percentile(list, 99)]]));
  figure('forwarding a signal, p99', 'µs', p99, { against: C, goal: 2 });
  // dumb-init makes two of these for a signal, to take it and to send it.
  figure('a call to libc from JavaScript', 'µs', { [OURS]: callCosts() });
}

/** What getppid(2) costs through ffi-rs in the shipped Node, with its flags: nanoseconds a call. */
function callCosts(): number[] {
  const script = `
    const { load, open, DataType } = require('ffi-rs');
    open({ library: 'libc', path: '' });
    const call = { library: 'libc', funcName: 'getppid', retType: DataType.I32, paramsType: [], paramsValue: [] };
    for (let round = 0; round < ${rounds(60, 9)}; round++) {
      const before = process.hrtime.bigint();
      for (let i = 0; i < 1000; i++) load(call);
      console.log(Number(process.hrtime.bigint() - before) / 1000);
    }`;
  const output = execFileSync(node, [...seaConfig.execArgv, '-e', script], { encoding: 'utf8' });
  return output.trim().split('\n').map(Number);
}

function reaping(): void {
  const reap = (how: string, n: number, times: number) =>
    inTurn(run(['start', times, '-'], under(probe, how, String(n))));
  figure('1,000 orphans die at once', 'ms', reap('orphans', 1000, rounds(9, 3)), { against: C, goal: 1.1 });
  if (!quick) figure('10,000 orphans die at once', 'ms', reap('orphans', 10_000, 1), { against: C });
  for (const n of quick ? [10, 1000] : [10, 100, 1000, 10_000]) {
    figure(
      `one orphan among ${n.toLocaleString('en')} processes`,
      'µs',
      reap('crowd', n, n < 10_000 ? rounds(3, 1) : 1),
      {
        against: C,
      },
    );
  }
}

/** Starts the commands, each as PID 1 of its own namespace; @returns their PIDs, and how to end them. */
async function hold(commands: readonly string[][]): Promise<{ pids: number[]; release: () => void }> {
  const child: ChildProcess = spawn(probe, ['hold', ...words(commands)], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout?.setEncoding('latin1').on('data', (text: string) => {
    output += text;
  });
  while (output.split('\n').length <= commands.length) await once(child.stdout as NodeJS.ReadableStream, 'data');
  const pids = output
    .trim()
    .split('\n')
    .map((line) => Number(line.split(' ')[1]));
  return { pids, release: () => child.stdin?.end() };
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
  execFileSync('sync'); // a page that is not yet written back counts as dirty in whoever maps it
  const minute = rounds(60, 5);
  const copies = 5;
  const late = spawn(
    probe,
    [
      'forward',
      '1',
      '1000',
      String(minute),
      ...words(
        Array(copies)
          .fill(under(probe, 'signalled', REPORT))
          .flat(),
      ),
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  late.stdout.setEncoding('latin1').on('data', (text: string) => {
    output += text;
  });
  const { pids, release } = await hold(under(...IDLE_COMMAND));
  await sleep(3000);
  const before = pids.map(activity);
  await sleep(minute * 1000);
  const after = pids.map(activity);
  const each = (value: (pid: number, i: number) => number) =>
    Object.fromEntries(pids.map((pid, i) => [names[i], [value(pid, i)]]));
  figure(
    'idle: RSS',
    'MiB',
    each((pid) => memory(pid, 'Rss')),
    { goalValue: 16 },
  );
  figure(
    'idle: PSS',
    'MiB',
    each((pid) => memory(pid, 'Pss')),
  );
  figure(
    'idle: private dirty',
    'MiB',
    each((pid) => memory(pid, 'Private_Dirty')),
    { goalValue: 8 },
  );
  figure('idle: threads', '', each(threads));
  figure(
    'idle: context switches in the time',
    '',
    each((_, i) => (after[i]?.switches ?? 0) - (before[i]?.switches ?? 0)),
  );
  figure(
    'idle: CPU time in the time',
    'ms',
    each((_, i) => ((after[i]?.cpu ?? 0) - (before[i]?.cpu ?? 0)) * 1e6),
  );
  release();
  if (late.exitCode === null) await once(late, 'close');
  const lines = output
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
  const first = Object.fromEntries(
    names.map((name, i) => [
      name,
      lines.filter(([index = 0]) => index % names.length === i).map((line) => line[1] ?? 0),
    ]),
  );
  figure(`first signal after ${minute} idle seconds`, 'µs', first, { against: C });
}

/** What many containers with the same file cost together: PSS divides what they share. */
async function together(): Promise<void> {
  for (const n of quick ? [10] : [1, 10, 50]) {
    const { pids, release } = await hold(under(...IDLE_COMMAND).flatMap((command) => Array<string[]>(n).fill(command)));
    await sleep(3000 + n * 150);
    const sum = names.map((_, i) =>
      pids.slice(i * n, (i + 1) * n).reduce((total, pid) => total + memory(pid, 'Pss'), 0),
    );
    figure(
      `${n} instances: PSS of each`,
      'MiB',
      Object.fromEntries(names.map((name, i) => [name, [(sum[i] ?? 0) / n]])),
    );
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
    { goalValue: 72 },
  );
  figure(
    'file, gzip -9',
    'MiB',
    all((path) => gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION }).length),
  );
  if (quick) return;
  // What dpkg-deb does to the file, which is nearly all of the package.
  const xz = (path: string) => execFileSync('xz', ['-9', '--stdout', path], { maxBuffer: 1 << 28 }).length;
  figure('file, xz -9 (the .deb)', 'MiB', all(xz), { goalValue: 17 });
}

const began = Date.now();
start();
forward();
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
