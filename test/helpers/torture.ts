/** How hard the torture tests try, and where their figures go. */
import { appendFileSync } from 'node:fs';

/** `make torture` does the whole of it; `make test` a short form. */
const FULL = process.env['TORTURE'] === 'full';

/** One number for `make torture`, one for `make test`. */
export const times = (full: number, short: number): number => (FULL ? full : short);

/** Prints a figure; `make torture` collects them (scripts/reliability.ts writes them to docs/reliability.md). */
export function figure(topic: string, text: string): void {
  console.log(`# ${topic}: ${text}`);
  if (FULL) appendFileSync('build/test/figures.txt', `${topic}\t${text}\n`);
}
