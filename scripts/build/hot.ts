/** What a start reads of the file, for the thaw to ask for it at once. */
import { readFileSync } from 'node:fs';
import type { Range } from './dump.ts';
import { HOT, LOOKED_AT } from './layout.ts';
import { pageStart } from './loaded.ts';

/**
 * What a start touches, as at most `HOT` ranges: what lies between is read too where it is the least.
 *
 * @param page its size
 * @param stored whether a page is stored in the file
 */
export function hotRanges(folder: string, page: number, stored: (address: number) => boolean): Range[] {
  const bytes = readFileSync(`${folder}/touched`);
  const addresses = Array.from({ length: bytes.length / 8 }, (_, i) =>
    pageStart(Number(bytes.readBigUInt64LE(i * 8)), page),
  );
  const ranges: Range[] = [];
  for (const start of new Set(addresses.filter(stored).toSorted((a, b) => a - b))) {
    const last = ranges.at(-1);
    if (last?.end === start) last.end += page;
    else ranges.push({ start, end: start + page });
  }
  const gap = (i: number) => (ranges[i + 1]?.start ?? Number.POSITIVE_INFINITY) - (ranges[i]?.end ?? 0);
  while (ranges.length > HOT) {
    let least = 0;
    for (let i = 1; i < ranges.length; i++) if (gap(i) < gap(least)) least = i;
    ranges.splice(least, 2, { start: ranges[least]?.start ?? 0, end: ranges[least + 1]?.end ?? 0 });
  }
  // The first, by which the thaw knows whether the file is in the page cache, must be long enough.
  return ranges.toSorted((a, b) => Number(b.end - b.start >= LOOKED_AT) - Number(a.end - a.start >= LOOKED_AT));
}
