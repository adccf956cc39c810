/** How hard the torture tests try, and where their figures go. */
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type Options, type Result, run } from './processes.ts';

/** `make torture` does the whole of it; `make test` a short form. */
const FULL = process.env['TORTURE'] === 'full';

/** One number for `make torture`, one for `make test`. */
export const times = (full: number, short: number): number => (FULL ? full : short);

/** Prints a figure; `make torture` collects them (scripts/reliability.ts writes them to docs/reliability.md). */
export function figure(topic: string, text: string): void {
  console.log(`# ${topic}: ${text}`);
  if (FULL) appendFileSync('build/test/figures.txt', `${topic}\t${text}\n`);
}

/** Runs a command under strace(1). @returns its result, and what strace wrote */
export async function traced(
  options: readonly string[],
  command: readonly string[],
): Promise<Result & { log: string }> {
  const folder = mkdtempSync('build/test/strace-');
  try {
    const result = await run('strace', ['-o', `${folder}/log`, ...options, ...command]);
    return { ...result, log: readFileSync(`${folder}/log`, 'latin1') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Runs a command and all that comes of it under strace(1).
 *
 * @param calls the system calls that are written down, as strace names them: `all`, or a list
 * @param init a program that comes of it, by its path
 * @returns the result, what was written of the process that has executed `init` from then on, and of its first child
 *   until that has executed something
 */
export async function tracedInit(
  calls: string,
  init: string,
  command: readonly string[],
  options: Options = {},
): Promise<Result & { lines: string[]; child: string[] }> {
  const folder = mkdtempSync(`${process.cwd()}/build/test/strace-`);
  try {
    const words = ['-ff', '-o', `${folder}/log`, `--trace=${calls === 'all' ? calls : `execve,${calls}`}`, ...command];
    const result = await run('strace', words, options);
    const linesOf = (name: string) => readFileSync(`${folder}/${name}`, 'latin1').trim().split('\n');
    const executed = (line: string) => line.startsWith('execve(') && line.endsWith(' = 0');
    for (const name of readdirSync(folder)) {
      const all = linesOf(name);
      const start = all.findIndex((line) => executed(line) && line.startsWith(`execve("${init}", `));
      if (start < 0) continue;
      const lines = all.slice(start);
      const pid = lines.map((line) => /^clone\(.* = (\d+)$/.exec(line)?.[1]).find(Boolean);
      const ofChild = pid === undefined ? [] : linesOf(`log.${pid}`);
      return { ...result, lines, child: ofChild.slice(0, ofChild.findIndex(executed) + 1) };
    }
    throw new Error(`${init} was not executed: ${result.stderr}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
