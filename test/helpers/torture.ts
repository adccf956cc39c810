/** How hard the torture tests try, and where their figures go. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type Result, run } from './processes.ts';

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
