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
 * @returns the result, and what was written of the process that has executed `init`, from then on
 */
export async function tracedInit(
  calls: string,
  init: string,
  command: readonly string[],
  options: Options = {},
): Promise<Result & { lines: string[] }> {
  const folder = mkdtempSync(`${process.cwd()}/build/test/strace-`);
  try {
    const words = ['-ff', '-o', `${folder}/log`, `--trace=${calls === 'all' ? calls : `execve,${calls}`}`, ...command];
    const result = await run('strace', words, options);
    for (const name of readdirSync(folder)) {
      const lines = readFileSync(`${folder}/${name}`, 'latin1').trim().split('\n');
      const start = lines.findIndex((line) => line.startsWith(`execve("${init}", `) && line.endsWith(' = 0'));
      if (start >= 0) return { ...result, lines: lines.slice(start) };
    }
    throw new Error(`${init} was not executed: ${result.stderr}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
