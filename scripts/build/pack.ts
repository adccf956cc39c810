/**
 * Makes the executable of a frozen process: its memory becomes the PT_LOAD segments of one static ELF file,
 * beside those of the thaw, which the kernel starts.
 *
 *   pack.ts DUMP THAW PUBLISHED-NODE OUTPUT ELF…      ELF: all files that were mapped
 */
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type Field, MAX_CLEAN, OFFSETS } from '../../src/libc/frozen-layout.ts';
import { clearDeadStack, fixTcacheKey, leaveOutStage, numberFiles, setPageSize } from './amend.ts';
import { type Dump, memoryAt, type Range, readDump } from './dump.ts';
import { EHDR_SIZE, type Elf, EM_AARCH64, PF_R, PF_W, PF_X, PHDR_SIZE, PT_LOAD, parseElf } from './elf.ts';
import { ExecutableFile } from './file.ts';
import { hotRanges } from './hot.ts';
import { HOT, MOST_HEADERS } from './layout.ts';
import { exportsOf, get, type Loaded, loadedFiles, pageEnd, pageStart, segmentsWith } from './loaded.ts';
import { type Piece, pagesOf, type Run, runsOf } from './segments.ts';
import { unusedData } from './trim.ts';
import { withoutZva } from './zva.ts';

/** No two parts of the thaw share a page of any size. */
const LARGEST_PAGE = 0x10000;
/** The linker puts the thaw between these (Makefile). */
const HEADERS_AT = 0x1fff0000;
const END_AT = 0x20ff0000;
/** Unreadable address space below this size is a guard page or a remnant, no reservation of V8's. */
const LEAST_RESERVATION = 0x1000000;
/** What is kept of a reservation: room for a million functions, of 16 bytes each. */
const KEPT_OF_RESERVATION = 0x1000000;

/** Segments beside the memory and the thaw's own: the headers, the end mark, the stack's rights. */
const OTHER_SEGMENTS = 3;

/** What the packer is given. */
interface Input {
  dump: Dump;
  folder: string;
  thaw: Elf;
  /** The published Node, with its symbols. */
  whole: Elf;
  loaded: ReadonlyMap<string, Loaded>;
  /** Size of the largest page there is. */
  page: number;
  /** Address of the record (src/image/frozen.h), and its fields. */
  frozenAt: number;
  field: (name: Field) => number;
}

type Pages = Map<number, { flags: number; bytes: Buffer }>;

function readInput(folder: string, thaw: Elf, whole: Elf, files: readonly Elf[]): Input {
  const dump = readDump(folder);
  const page = thaw.machine === EM_AARCH64 ? LARGEST_PAGE : 0x1000;
  const loaded = loadedFiles(dump, files);
  const frozenAt = get(exportsOf(get(loaded, 'guard.so')), 'frozen');
  const frozen = memoryAt(dump, frozenAt);
  const field = (name: Field) => Number(frozen.readBigUInt64LE(OFFSETS[name]));
  return { dump, folder, thaw, whole, loaded, page, frozenAt, field };
}

/** Changes the memory to what it is in every container. */
function amend({ dump, loaded, page, frozenAt, field }: Input): void {
  leaveOutStage(dump, get(loaded, 'stage.so'), get(loaded, 'guard.so'), get(loaded, 'libc.so.6'));
  fixTcacheKey(dump, memoryAt(dump, frozenAt).readBigUInt64LE(OFFSETS.tcache_key));
  numberFiles(dump);
  clearDeadStack(dump, field('stack'));
  memoryAt(dump, field('thread_id')).writeInt32LE(0);
  const [loader] = [...loaded].filter(([name]) => name.startsWith('ld-linux')).map(([, file]) => file);
  if (page !== 0x1000 && loader) setPageSize(dump, loader, page);
}

/** The memory in pages, without what is never asked for. */
function keptPages({ dump, folder, thaw, whole, loaded, page, field }: Input): Pages {
  const pieces = piecesOf(dump, loaded);
  if (thaw.machine === EM_AARCH64) for (const piece of pieces) if (piece.flags & PF_X) withoutZva(piece);
  const pages = pagesOf(pieces, page);
  // What is not there can't be read by mistake.
  for (const { start, end } of unusedData(whole, dump, modulesOf(folder))) {
    for (let at = pageEnd(start, page); at + page <= end; at += page) pages.delete(at);
  }
  // Where these lie in memory that libc has made read-only, the thaw must be able to renew them.
  for (const secret of [field('canary'), field('pointer_guard')]) get(pages, pageStart(secret, page)).flags |= PF_W;
  return pages;
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

/** WebAssembly's table of code (WasmCodePointerTable), which nobody needs, and the table of functions (JSDispatchTable). */
function reservationsOf({ holes }: Dump): [others: Range, functions: Range] {
  const [others, functions, ...more] = holes.filter(
    ({ start, end }) => end - start >= LEAST_RESERVATION && start > END_AT,
  );
  if (!others || !functions || more.length > 0) throw new Error('V8 has other reservations than expected');
  return [others, functions];
}

/** The bytes of a run. */
function bytesOf({ start, end }: Run, pages: Pages, page: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = start; at < end; at += page) parts.push(pages.get(at)?.bytes ?? Buffer.alloc(page));
  return Buffer.concat(parts);
}

/** The executable but for its table: first all that is read before the thaw has looked at the file's end. */
function laidOut(thaw: Elf, runs: readonly Run[], pages: Pages, page: number): ExecutableFile {
  const file = new ExecutableFile(page);
  const own = thaw.segments.filter(({ type }) => type === PT_LOAD);
  const headersSize = EHDR_SIZE + (own.length + runs.length + OTHER_SEGMENTS) * PHDR_SIZE;
  file.add(HEADERS_AT, PF_R, headersSize, Buffer.alloc(headersSize));
  for (const { vaddr, flags, offset, filesz, memsz } of own) {
    file.add(vaddr, flags, memsz, thaw.bytes.subarray(offset, offset + filesz));
  }
  for (const run of runs) {
    file.add(run.start, run.flags, run.end - run.start, run.stored ? bytesOf(run, pages, page) : undefined);
  }
  file.add(END_AT, PF_R, 8, Buffer.alloc(8, 0xff));
  return file;
}

const isOfThaw = (vaddr: number) => vaddr >= HEADERS_AT && vaddr <= END_AT;

/** Tells the program what is never written to: the largest first, for there is room for so many. */
function writeClean(file: ExecutableFile, frozenAt: number): void {
  const into = file.at(frozenAt).subarray(OFFSETS.clean);
  file.segments
    .filter(({ flags, filesz, vaddr }) => !(flags & PF_W) && filesz > 0 && !isOfThaw(vaddr))
    .toSorted((a, b) => b.filesz - a.filesz)
    .slice(0, MAX_CLEAN)
    .forEach(({ vaddr, memsz }, i) => {
      into.writeBigUInt64LE(BigInt(vaddr), i * 16);
      into.writeBigUInt64LE(BigInt(memsz), i * 16 + 8);
    });
}

/** Writes the thaw's table (src/image/payload.h): the headers are written already. */
function writePayload(file: ExecutableFile, { folder, thaw, page, frozenAt }: Input, functions: Range): void {
  const table = thaw.sections.get('.payload');
  if (!table) throw new Error('the thaw has no table');
  const payload = file.at(table.vaddr).subarray(0, table.size);
  const [headers] = file.segments.filter(({ vaddr }) => vaddr === HEADERS_AT);
  const [lowest, highest] = [file.segments[0], file.segments.at(-1)];
  if (!headers || !lowest || !highest) throw new Error('there are no segments');
  const hot = hotRanges(folder, page, (at) => file.stores(at));
  const words = [
    ...[frozenAt, END_AT, functions.start, KEPT_OF_RESERVATION],
    ...[lowest.vaddr, highest.vaddr + highest.memsz - lowest.vaddr],
    ...Array.from({ length: HOT }, (_, i) => hot[i] ?? { start: 0, end: 0 }).flatMap(({ start, end }) => [
      start,
      end - start,
    ]),
    headers.filesz / 8,
  ];
  if (payload.length !== (words.length + 1) * 8) throw new Error('the table has another layout in payload.h');
  words.forEach((word, i) => {
    payload.writeBigUInt64LE(BigInt(word), i * 8);
  });
  const sum = sumOf(payload.subarray(0, words.length * 8), sumOf(file.at(HEADERS_AT)));
  payload.writeBigUInt64LE(sum, words.length * 8);
}

/** Every change of one word changes it (thaw.c, sum_of). */
function sumOf(bytes: Buffer, from = 0n): bigint {
  let sum = from;
  for (let at = 0; at < bytes.length; at += 8) {
    sum = BigInt.asUintN(64, (sum ^ bytes.readBigUInt64LE(at)) * 0x100000001b3n);
  }
  return sum;
}

/** The built-in modules that were loaded; it says `NativeModule` before each, where others are bindings (process.moduleLoadList). */
const modulesOf = (folder: string): ReadonlySet<string> =>
  new Set(
    [...readFileSync(`${folder}/modules`, 'utf8').matchAll(/^NativeModule (.*)$/gm)].map(([, name = '']) => name),
  );

function pack(input: Input): Buffer {
  const { dump, thaw, page, frozenAt } = input;
  amend(input);
  const pages = keptPages(input);
  const reservations = reservationsOf(dump);
  const own = thaw.segments.filter(({ type }) => type === PT_LOAD);
  const runs = runsOf(pages, page, MOST_HEADERS - own.length - OTHER_SEGMENTS, (start, end) =>
    reservations.some((hole) => hole.start < end && start < hole.end),
  );
  const file = laidOut(thaw, runs, pages, page);
  writeClean(file, frozenAt);
  file.headers(thaw.machine, thaw.entry).copy(file.at(HEADERS_AT));
  writePayload(file, input, reservations[1]);
  return file.build();
}

const [folder, thawPath, wholePath, output, ...paths] = process.argv.slice(2) as [string, string, string, string];
const read = (path: string): Elf => parseElf(readFileSync(path), path);
const bytes = pack(readInput(folder, read(thawPath), read(wholePath), (paths as string[]).map(read)));
writeFileSync(`${output}.tmp`, bytes);
chmodSync(`${output}.tmp`, 0o755);
renameSync(`${output}.tmp`, output);
