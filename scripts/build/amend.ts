/**
 * What is changed in the memory of the frozen process before it is packed: what was of the build leaves, and what is
 * another in each build becomes the same.
 */
import { type Dump, memoryAt, type Range, type Region } from './dump.ts';
import { definedSymbols, PF_W, PF_X, STT_GNU_IFUNC } from './elf.ts';
import { exportsOf, get, type Loaded, segmentsWith } from './loaded.ts';

/** No address, and no small number: the one thing that is asked of malloc's key. */
const TCACHE_KEY = 0x5eed5eed5eed5eedn;

/**
 * The stage leaves: what points to one of its functions points to the guard's or libc's of that name, or nowhere; its code and its
 * variables are left out.
 */
export function leaveOutStage(dump: Dump, stage: Loaded, guard: Loaded, libc: Loaded): void {
  const code = segmentsWith(stage, PF_X)[0];
  if (!code) throw new Error('the stage has no code');
  const rightful = new Map([...exportsOf(libc), ...exportsOf(guard)]);
  const replacement = new Map(
    [...exportsOf(stage)].map(([name, address]) => [address, rightful.get(name) ?? 0] as const),
  );
  const chosen = definedSymbols(stage.elf).find(({ name }) => name === 'chosen');
  const pairs = memoryAt(dump, stage.base + (chosen?.value ?? 0));
  for (let at = 0; at < (chosen?.size ?? 0); at += 16) {
    replacement.set(Number(pairs.readBigUInt64LE(at)), Number(pairs.readBigUInt64LE(at + 8)));
  }
  const open = definedSymbols(libc.elf).find(
    ({ name, value, type }) =>
      type === STT_GNU_IFUNC && replacement.get(exportsOf(stage).get(name) ?? 0) === libc.base + value,
  );
  if (open) throw new Error(`libc chooses its ${open.name}, which the stage must tell`);
  for (const { start, bytes } of dump.regions) {
    const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
    words.forEach((word, i) => {
      if (word < code.start || word >= code.end) return;
      const at = start + i * 8;
      if (at >= code.start && at < code.end) return;
      // Other addresses in it are of its own tables, and of functions that nothing else knows.
      words[i] = BigInt(replacement.get(Number(word)) ?? 0);
    });
  }
  const gone = [code, ...segmentsWith(stage, PF_W)];
  dump.regions = dump.regions.flatMap((region) =>
    gone.some(({ start, end }) => start < region.end && region.start < end) ? without(region, gone) : [region],
  );
}

/** What is left of a region. */
function without(region: Region, gone: readonly Range[]): Region[] {
  const left: Region[] = [];
  for (let at = region.start; at < region.end; at += 0x1000) {
    if (gone.some(({ start, end }) => start <= at && at < end)) continue;
    const last = left.at(-1);
    if (last?.end === at) last.end += 0x1000;
    else left.push({ ...region, start: at, end: at + 0x1000 });
  }
  for (const piece of left) piece.bytes = region.bytes.subarray(piece.start - region.start, piece.end - region.start);
  return left;
}

/** malloc's random word becomes one that is the same in each build. */
export function fixTcacheKey(dump: Dump, key: bigint): void {
  let found = 0;
  for (const { bytes } of dump.regions) {
    const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
    for (let at = words.indexOf(key); at >= 0; at = words.indexOf(key, at + 1)) {
      words[at] = TCACHE_KEY;
      found++;
    }
  }
  if (key < 1n << 32n || found < 2) throw new Error("malloc's key is not what it is taken for");
}

/** By what the loader tells its files from each other, they become the first, the second … of a device 0. */
export function numberFiles(dump: Dump): void {
  for (const { bytes, name } of dump.regions) {
    if (name !== '' && !name.startsWith('ld-linux')) continue;
    const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
    for (const [i, { device, inode }] of dump.files.entries()) {
      for (let at = words.indexOf(inode); at > 0; at = words.indexOf(inode, at + 1)) {
        if (words[at - 1] === device) [words[at - 1], words[at]] = [0n, BigInt(i + 1)];
      }
    }
  }
}

/** Nothing of what the program did before it was frozen is left on the stack. */
export function clearDeadStack(dump: Dump, stackPointer: number): void {
  const stack = dump.regions.find(({ start, end }) => start <= stackPointer && stackPointer < end);
  if (!stack) throw new Error('the stack was not frozen');
  stack.bytes.fill(0, 0, stackPointer - stack.start);
}

/**
 * libc's idea of the size of a page becomes the largest there is (struct rtld_global_ro, _dl_pagesize), as Node was
 * told already.
 */
export function setPageSize(dump: Dump, loader: Loaded, size: number): void {
  const start = memoryAt(dump, get(exportsOf(loader), '_rtld_global_ro'));
  const offsets = Array.from({ length: 16 }, (_, i) => i * 8).filter((at) => start.readBigUInt64LE(at) === 0x1000n);
  const [offset] = offsets;
  if (offset === undefined || offsets.length !== 1) throw new Error("the loader's _dl_pagesize is not where expected");
  start.writeBigUInt64LE(BigInt(size), offset);
}
