/**
 * Makes the executable of a frozen process: its memory becomes the PT_LOAD segments of one static ELF file,
 * beside those of the thaw, which the kernel starts.
 *
 *   pack.ts DUMP THAW PUBLISHED-NODE OUTPUT ELF…      ELF: all files that were mapped
 */
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type Field, MAX_CLEAN, OFFSETS } from '../../src/libc/frozen-layout.ts';
import { type Dump, memoryAt, type Range, type Region, readDump } from './dump.ts';
import {
  definedSymbols,
  EHDR_SIZE,
  type Elf,
  EM_AARCH64,
  ET_EXEC,
  elfHeaders,
  PF_R,
  PF_W,
  PF_X,
  PHDR_SIZE,
  PT_GNU_STACK,
  PT_LOAD,
  parseElf,
  type Segment,
  STT_GNU_IFUNC,
} from './elf.ts';
import { HOT, LOOKED_AT, MOST_HEADERS } from './layout.ts';
import { type Piece, pagesOf, runsOf } from './segments.ts';
import { unusedData } from './trim.ts';

/** No two parts of the thaw share a page of any size. */
const LARGEST_PAGE = 0x10000;
/** The linker puts the thaw between these (Makefile). */
const HEADERS_AT = 0x1fff0000;
const END_AT = 0x20ff0000;
/** No address, and no small number: the one thing that is asked of it. */
const TCACHE_KEY = 0x5eed5eed5eed5eedn;
/** Unreadable address space below this size is a guard page or a remnant, no reservation of V8's. */
const LEAST_RESERVATION = 0x1000000;
/** What is kept of a reservation: room for a million functions, of 16 bytes each. */
const KEPT_OF_RESERVATION = 0x1000000;

/** A mapped file, and where its address 0 is. */
interface Loaded {
  elf: Elf;
  base: number;
}

const pageStart = (address: number, page: number) => address - (address % page);
const pageEnd = (address: number, page: number) => Math.ceil(address / page) * page;
const hex = (n: number) => `0x${n.toString(16)}`;

function loadedFiles(dump: Dump, files: readonly Elf[]): Map<string, Loaded> {
  const found = new Map<string, Loaded>();
  for (const elf of files) {
    const name = basename(elf.name);
    const region = dump.regions.find((region) => region.name === name);
    if (!region) throw new Error(`${name} was not mapped`);
    found.set(name, { elf, base: elf.type === ET_EXEC ? 0 : region.start });
  }
  return found;
}

function get<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key);
  if (value === undefined) throw new Error(`there is no ${key}`);
  return value;
}

/** Addresses of what a mapped file exports. */
const exportsOf = ({ elf, base }: Loaded) =>
  new Map(definedSymbols(elf).map(({ name, value }) => [name, base + value] as const));

/** What of a mapped file has certain rights, in whole pages. */
const segmentsWith = ({ elf, base }: Loaded, right: number): Range[] =>
  elf.segments
    .filter(({ type, flags }) => type === PT_LOAD && flags & right)
    .map(({ vaddr, memsz }) => ({
      start: pageStart(base + vaddr, 0x1000),
      end: pageEnd(base + vaddr + memsz, 0x1000),
    }));

/**
 * The stage leaves: what points to one of its functions points to the guard's or libc's of that name, or nowhere; its code and its
 * variables are left out.
 */
function leaveOutStage(dump: Dump, stage: Loaded, guard: Loaded, libc: Loaded): void {
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
function fixTcacheKey(dump: Dump, frozen: Buffer): void {
  const key = frozen.readBigUInt64LE(OFFSETS.tcache_key);
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
function numberFiles(dump: Dump): void {
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
function clearDeadStack(dump: Dump, stackPointer: number): void {
  const stack = dump.regions.find(({ start, end }) => start <= stackPointer && stackPointer < end);
  if (!stack) throw new Error('the stack was not frozen');
  stack.bytes.fill(0, 0, stackPointer - stack.start);
}

/**
 * libc's idea of the size of a page becomes the largest there is (struct rtld_global_ro, _dl_pagesize), as Node was
 * told already.
 */
function setPageSize(dump: Dump, loader: Loaded, size: number): void {
  const start = memoryAt(dump, get(exportsOf(loader), '_rtld_global_ro'));
  const offsets = Array.from({ length: 16 }, (_, i) => i * 8).filter((at) => start.readBigUInt64LE(at) === 0x1000n);
  const [offset] = offsets;
  if (offset === undefined || offsets.length !== 1) throw new Error("the loader's _dl_pagesize is not where expected");
  start.writeBigUInt64LE(BigInt(size), offset);
}

/** Instructions of aarch64 (Arm Architecture Reference Manual, C6). */
const DC_ZVA = (word: number) => (word & 0xffffffe0) >>> 0 === 0xd50b7420;
const MRS_DCZID = (word: number) => (word & 0xffffffe0) >>> 0 === 0xd53b00e0;
const TST_W1_FF = 0x72001c3f;
const B_NE = (word: number) => (word & 0xff00001f) >>> 0 === 0x54000001;
/** So many instructions before it uses `dc zva`, a memset has decided to. */
const DECIDED_BEFORE = 32;

/**
 * memset was chosen for this machine's processor, where `dc zva` zeroes 64 bytes at once; elsewhere it zeroes
 * more. Where code uses it without asking the processor how much that is, the branch is always taken that goes
 * without, as if the byte to fill with weren't 0.
 */
function withoutZva({ start, bytes }: Piece): void {
  const code = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  code.forEach((word, at) => {
    if (!DC_ZVA(word)) return;
    const before = [...code.subarray(Math.max(0, at - DECIDED_BEFORE), at)];
    if (before.some(MRS_DCZID)) return;
    const test = before.findLastIndex((each, i) => each === TST_W1_FF && B_NE(before[i + 1] ?? 0));
    if (test < 0) throw new Error(`the dc zva at ${hex(start + at * 4)} can't be avoided`);
    const branch = at - before.length + test + 1;
    const offset = ((code[branch] ?? 0) << 8) >> 13; // imm19, signed
    code[branch] = (0x14000000 | (offset & 0x3ffffff)) >>> 0;
  });
}

/** The memory with its rights: what may be executed is known from the headers of the files alone. */
function piecesOf(dump: Dump, files: ReadonlyMap<string, Loaded>): Piece[] {
  const executable = [...files.values()].flatMap((file) => segmentsWith(file, PF_X));
  const pieces: Piece[] = [];
  for (const { start, end, writable, bytes } of dump.regions) {
    const cuts = new Set([start, end]);
    for (const range of executable) for (const at of [range.start, range.end]) if (at > start && at < end) cuts.add(at);
    const sorted = [...cuts].sort((a, b) => a - b);
    for (const [i, from] of sorted.slice(0, -1).entries()) {
      const to = sorted[i + 1] ?? end;
      const runs = executable.some((range) => range.start <= from && to <= range.end);
      const flags = PF_R | (writable ? PF_W : 0) | (runs ? PF_X : 0);
      pieces.push({ start: from, flags, bytes: bytes.subarray(from - start, to - start) });
    }
  }
  return pieces;
}

/**
 * What a start touches, as at most `HOT` ranges: what lies between is read too where it is the least.
 *
 * @param page its size
 * @param stored whether a page is stored in the file
 */
function hotRanges(folder: string, page: number, stored: (address: number) => boolean): Range[] {
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

/** Every change of one word changes it (thaw.c, sum_of). */
function sumOf(bytes: Buffer, from = 0n): bigint {
  let sum = from;
  for (let at = 0; at < bytes.length; at += 8) {
    sum = BigInt.asUintN(64, (sum ^ bytes.readBigUInt64LE(at)) * 0x100000001b3n);
  }
  return sum;
}

function pack(folder: string, thaw: Elf, whole: Elf, files: readonly Elf[]): Buffer {
  const dump = readDump(folder);
  const page = thaw.machine === EM_AARCH64 ? LARGEST_PAGE : 0x1000;
  const loaded = loadedFiles(dump, files);
  const frozenAt = get(exportsOf(get(loaded, 'guard.so')), 'frozen');
  const frozen = memoryAt(dump, frozenAt);
  const field = (name: Field) => Number(frozen.readBigUInt64LE(OFFSETS[name]));

  leaveOutStage(dump, get(loaded, 'stage.so'), get(loaded, 'guard.so'), get(loaded, 'libc.so.6'));
  fixTcacheKey(dump, frozen);
  numberFiles(dump);
  clearDeadStack(dump, field('stack'));
  memoryAt(dump, field('thread_id')).writeInt32LE(0);
  const [loader] = [...loaded].filter(([name]) => name.startsWith('ld-linux')).map(([, file]) => file);
  if (page !== 0x1000 && loader) setPageSize(dump, loader, page);

  const pieces = piecesOf(dump, loaded);
  if (thaw.machine === EM_AARCH64) for (const piece of pieces) if (piece.flags & PF_X) withoutZva(piece);
  const pages = pagesOf(pieces, page);
  // What is not there can't be read by mistake.
  for (const { start, end } of unusedData(whole, dump, modulesOf(folder))) {
    for (let at = pageEnd(start, page); at + page <= end; at += page) pages.delete(at);
  }
  // Where these lie in memory that libc has made read-only, the thaw must be able to renew them.
  for (const secret of [field('canary'), field('pointer_guard')]) {
    const at = get(pages, pageStart(secret, page));
    at.flags |= PF_W;
  }
  // WebAssembly's table of code (WasmCodePointerTable), which nobody needs, and the table of functions (JSDispatchTable).
  const reservations = dump.holes.filter(({ start, end }) => end - start >= LEAST_RESERVATION && start > END_AT);
  const [, reserved] = reservations;
  if (!reserved || reservations.length !== 2) throw new Error('V8 has other reservations than expected');
  // Beside the memory: headers, end mark, the thaw's own segments, the stack's rights.
  const own = thaw.segments.filter(({ type }) => type === PT_LOAD);
  const runs = runsOf(pages, page, MOST_HEADERS - own.length - 3, (start, end) =>
    reservations.some((hole) => hole.start < end && start < hole.end),
  );

  // The file begins with all that is read before the thaw has looked at the file's end.
  const segments: Segment[] = [];
  const contents: { offset: number; bytes: Buffer }[] = [];
  let fileEnd = 0;
  const add = (vaddr: number, flags: number, size: number, bytes?: Buffer): void => {
    const offset = bytes ? pageEnd(fileEnd, page) + (vaddr % page) : 0;
    if (bytes) {
      contents.push({ offset, bytes });
      fileEnd = offset + bytes.length;
    }
    segments.push({ type: PT_LOAD, flags, offset, vaddr, filesz: bytes?.length ?? 0, memsz: size, align: page });
  };
  const headersSize = EHDR_SIZE + (own.length + runs.length + 3) * PHDR_SIZE;
  const headers = Buffer.alloc(headersSize);
  add(HEADERS_AT, PF_R, headersSize, headers);
  for (const { vaddr, flags, offset, filesz, memsz } of own)
    add(vaddr, flags, memsz, thaw.bytes.subarray(offset, offset + filesz));
  // The packer's own bytes of it: the table is filled in when all places are known.
  const table = thaw.sections.get('.payload');
  const payload = contents
    .map(({ bytes }, i) => ({ bytes, segment: segments[i] }))
    .flatMap(({ bytes, segment }) =>
      table && segment && segment.vaddr <= table.vaddr && table.vaddr < segment.vaddr + segment.filesz
        ? [bytes.subarray(table.vaddr - segment.vaddr, table.vaddr - segment.vaddr + table.size)]
        : [],
    )[0];
  if (!payload) throw new Error('the thaw has no table');
  for (const { start, end, flags, stored } of runs) {
    if (!stored) add(start, flags, end - start);
    else {
      const parts: Buffer[] = [];
      for (let at = start; at < end; at += page) parts.push(pages.get(at)?.bytes ?? Buffer.alloc(page));
      add(start, flags, end - start, Buffer.concat(parts));
    }
  }
  add(END_AT, PF_R, 8, Buffer.alloc(8, 0xff));

  // What is never written to: largest first, for there is room for so many.
  segments
    .filter(({ flags, filesz, vaddr }) => !(flags & PF_W) && filesz > 0 && !isOfThaw(vaddr))
    .sort((a, b) => b.filesz - a.filesz)
    .slice(0, MAX_CLEAN)
    .forEach(({ vaddr, memsz }, i) => {
      const { bytes, start } = contentAt(frozenAt);
      const at = frozenAt - start + OFFSETS.clean + i * 16;
      bytes.writeBigUInt64LE(BigInt(vaddr), at);
      bytes.writeBigUInt64LE(BigInt(memsz), at + 8);
    });
  function contentAt(address: number): { bytes: Buffer; start: number } {
    const i = segments.findIndex(({ vaddr, filesz }) => vaddr <= address && address < vaddr + filesz);
    const stored = contents.find(({ offset }) => offset === segments[i]?.offset);
    if (!stored || !segments[i]) throw new Error(`${hex(address)} is not stored`);
    return { bytes: stored.bytes, start: segments[i].vaddr };
  }

  // In address order, as the kernel wants PT_LOADs.
  const sorted = segments.toSorted((a, b) => a.vaddr - b.vaddr);
  for (const [i, segment] of sorted.entries()) {
    const before = sorted[i - 1];
    if (before && before.vaddr + before.memsz > segment.vaddr) throw new Error('segments overlap');
    if ((segment.flags & (PF_W | PF_X)) === (PF_W | PF_X)) throw new Error('a segment is writable and executable');
  }
  const stack: Segment = {
    type: PT_GNU_STACK,
    flags: PF_R | PF_W,
    offset: 0,
    vaddr: 0,
    filesz: 0,
    memsz: 0,
    align: 16,
  };
  if (sorted.length + 1 > MOST_HEADERS) throw new Error('there are too many program headers');
  elfHeaders(thaw.machine, thaw.entry, [...sorted, stack]).copy(headers);

  const [lowest, highest] = [sorted[0], sorted.at(-1)];
  if (!lowest || !highest) throw new Error('there are no segments');
  const hot = hotRanges(folder, page, (at) => sorted.some(({ vaddr, filesz }) => vaddr <= at && at < vaddr + filesz));
  if ((hot[0]?.end ?? 0) - (hot[0]?.start ?? 0) < LOOKED_AT) throw new Error('a start touches too little');
  const words = [
    ...[frozenAt, END_AT, reserved.start, KEPT_OF_RESERVATION],
    ...[lowest.vaddr, highest.vaddr + highest.memsz - lowest.vaddr],
    ...Array.from({ length: HOT }, (_, i) => hot[i] ?? { start: 0, end: 0 }).flatMap(({ start, end }) => [
      start,
      end - start,
    ]),
    headersSize / 8,
  ];
  if (payload.length !== (words.length + 1) * 8) throw new Error('the table has another layout in thaw.c');
  words.forEach((word, i) => {
    payload.writeBigUInt64LE(BigInt(word), i * 8);
  });
  payload.writeBigUInt64LE(sumOf(payload.subarray(0, words.length * 8), sumOf(headers)), words.length * 8);

  const file = Buffer.alloc(fileEnd);
  for (const { offset, bytes } of contents) bytes.copy(file, offset);
  return file;
}

/** The built-in modules that were loaded; it says `NativeModule` before each, where others are bindings (process.moduleLoadList). */
const modulesOf = (folder: string): ReadonlySet<string> =>
  new Set(
    [...readFileSync(`${folder}/modules`, 'utf8').matchAll(/^NativeModule (.*)$/gm)].map(([, name = '']) => name),
  );

const isOfThaw = (vaddr: number) => vaddr >= HEADERS_AT && vaddr <= END_AT;

const [folder, thawPath, wholePath, output, ...paths] = process.argv.slice(2) as [string, string, string, string];
const read = (path: string): Elf => parseElf(readFileSync(path), path);
const file = pack(folder, read(thawPath), read(wholePath), (paths as string[]).map(read));
writeFileSync(`${output}.tmp`, file);
chmodSync(`${output}.tmp`, 0o755);
renameSync(`${output}.tmp`, output);
