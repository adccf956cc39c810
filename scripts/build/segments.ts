/** Frozen memory as the segments of an executable: few enough headers, and no zeros that need not be stored. */
import { PF_W } from './elf.ts';

/** A piece of memory with the same rights throughout. */
export interface Piece {
  start: number;
  /** PF_X 1, PF_W 2, PF_R 4. */
  flags: number;
  bytes: Buffer;
}

/** A piece that is stored in the file, or that is zeros. */
export interface Run {
  start: number;
  end: number;
  flags: number;
  stored: boolean;
}

const isZero = (bytes: Buffer) => {
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
  return words.every((word) => word === 0n);
};

/**
 * Memory in whole pages. Where neighbours share a page, its rights are theirs together.
 *
 * @param size of a page in bytes
 * @returns page address to page
 */
export function pagesOf(pieces: readonly Piece[], size: number): Map<number, { flags: number; bytes: Buffer }> {
  const pages = new Map<number, { flags: number; bytes: Buffer }>();
  for (const { start, flags, bytes } of pieces) {
    for (let address = start - (start % size); address < start + bytes.length; address += size) {
      const from = Math.max(address, start);
      const part = bytes.subarray(from - start, address + size - start);
      const page = pages.get(address);
      if (page) {
        page.flags |= flags;
        part.copy(page.bytes, from - address);
      } else if (part.length === size) {
        pages.set(address, { flags, bytes: part });
      } else {
        const whole = Buffer.alloc(size);
        part.copy(whole, from - address);
        pages.set(address, { flags, bytes: whole });
      }
    }
  }
  for (const [address, { flags }] of pages) {
    if ((flags & 3) === 3) throw new Error(`the page at ${address.toString(16)} would be writable and executable`);
  }
  return pages;
}

/**
 * Pages as runs, at most `most` of them: zeros between stored pages, and gaps, are stored where that saves a
 * header for the least bytes.
 *
 * @param forbidden whether nothing may be mapped from `start` to `end`
 */
export function runsOf(
  pages: ReadonlyMap<number, { flags: number; bytes: Buffer }>,
  size: number,
  most: number,
  forbidden: (start: number, end: number) => boolean,
): Run[] {
  const runs: Run[] = [];
  for (const [start, { flags, bytes }] of [...pages].sort(([a], [b]) => a - b)) {
    // Of what has no bytes in the file the kernel makes writable memory, whatever its rights (binfmt_elf.c, elf_load).
    const stored = !(flags & PF_W) || !isZero(bytes);
    const last = runs.at(-1);
    if (last?.end === start && last.flags === flags && last.stored === stored) last.end = start + size;
    else runs.push({ start, end: start + size, flags, stored });
  }
  while (runs.length > most) {
    // What becomes stored, or mapped, if this run and the next become one.
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (const [i, run] of runs.entries()) {
      const next = runs[i + 1];
      if (!next || next.flags !== run.flags) continue;
      const gap = next.start - run.end;
      if (gap > 0 && forbidden(run.end, next.start)) continue;
      const zeros = gap + (run.stored ? 0 : run.end - run.start) + (next.stored ? 0 : next.end - next.start);
      // Written pages in a gap cost a commitment of memory too.
      const cost = run.stored || next.stored ? zeros : gap * (run.flags & PF_W ? 2 : 1);
      if (cost < least) [best, least] = [i, cost];
    }
    const [run, next] = [runs[best], runs[best + 1]];
    if (!run || !next) throw new Error(`memory can't be had in ${most} segments`);
    runs.splice(best, 2, { ...run, end: next.end, stored: run.stored || next.stored });
  }
  return runs;
}
