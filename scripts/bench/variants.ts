/**
 * `make bench-variants`: what each setting of the single-executable application costs or gains. Every
 * variant is sea-config.json with one change, packed like the product.
 *
 *   variants.ts PROBE      variants are built in build/bench/variants
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import shipped from '../../sea-config.json' with { type: 'json' };
import { percentile } from './figures.ts';
import { memory, REPORT, runProbe, samplesOf, threads } from './measure.ts';

type Config = typeof shipped;
const [probe] = process.argv.slice(2) as [string];
const RUNS = 41;
const MIB = 1 << 20;

const without =
  (...flags: string[]) =>
  (config: Config) => ({ ...config, execArgv: config.execArgv.filter((flag) => !flags.includes(flag)) });
const and =
  (...flags: string[]) =>
  (config: Config) => ({ ...config, execArgv: [...config.execArgv, ...flags] });

const VARIANTS: Record<string, (config: Config) => Config> = {
  'as shipped': (config) => config,
  'without --jitless': without('--jitless'),
  'without --single-threaded': without('--single-threaded'),
  'without --v8-pool-size=0': without('--v8-pool-size=0'),
  'without --max-semi-space-size=1': without('--max-semi-space-size=1'),
  'without --hash-seed=1 --no-rehash-snapshot': without('--hash-seed=1', '--no-rehash-snapshot'),
  'with a code cache': (config) => ({ ...config, useCodeCache: true }),
  'with --no-verify-snapshot-checksum': and('--no-verify-snapshot-checksum'),
  'with --disable-wasm-trap-handler': and('--disable-wasm-trap-handler'),
  'with --no-lazy-feedback-allocation': and('--no-lazy-feedback-allocation'),
  'with --max-lazy': and('--max-lazy'),
  'with --optimize-for-size': and('--optimize-for-size'),
  'with --no-experimental-require-module': and('--no-experimental-require-module'),
  'with --no-experimental-websocket': and('--no-experimental-websocket'),
  'as shipped, once more': (config) => config, // what differs from the first is noise
};

/** Builds one, @returns its path. */
function build(change: (config: Config) => Config, folder: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/sea-config.json`, JSON.stringify(change({ ...shipped, output: `${folder}/sea.blob` })));
  execFileSync('make', [`${folder}/dumb-init`], { stdio: 'ignore' });
  return `${folder}/dumb-init`;
}

const executables = Object.values(VARIANTS).map((change, i) => build(change, `build/bench/variants/${i}`));

const commands = executables.map((executable) => [executable, '--', probe, 'first', REPORT]);
const lines = runProbe(probe, ['start', RUNS, '-'], commands);
const starts = executables.map((_, i) => percentile(samplesOf(i, lines, 1), 50));

/** Memory in MiB and threads, four seconds after the start. */
async function idle(executable: string): Promise<number[]> {
  const init = spawn(executable, ['sleep', '1000'], { stdio: 'ignore' });
  await sleep(4000);
  const pid = init.pid ?? 0;
  const figures = [memory(pid, 'Rss') / MIB, memory(pid, 'Private_Dirty') / MIB, threads(pid)];
  init.kill('SIGTERM');
  return figures;
}

const idling = await Promise.all(executables.map(idle));
console.log('| variant | start | RSS, MiB | private dirty, MiB | threads |\n| --- | ---: | ---: | ---: | ---: |');
Object.keys(VARIANTS).forEach((name, i) => {
  const [rss = 0, dirty = 0, threads] = idling[i] ?? [];
  const start = ((starts[i] ?? 0) / (starts[0] ?? 0)).toFixed(2);
  console.log(`| ${name} | ${start} | ${rss.toFixed(1)} | ${dirty.toFixed(1)} | ${threads} |`);
});
console.log(`Start to the command's first instruction, against what is shipped: medians of ${RUNS} runs in turns.`);
