/**
 * Takes out of Node what an init never uses, before it is packed: data that need not be stored, the
 * dynamic symbols that no library asks for, and one debugging aid. Every place is found by section
 * or symbol of the Node that is not stripped, for either architecture; what isn't where it is
 * expected ends the build.
 */
import { basename } from 'node:path';
import { type Elf, fileOffset, symbols } from './elf.ts';

/** The smallest page of the two architectures. */
const PAGE = 0x1000;

/** A range of addresses. */
export interface Range {
  start: number;
  end: number;
}

/**
 * What reads as zeros at run time, and is not stored in the file where it fills whole pages.
 *
 * - The data of ICU: only Intl asks for it (String.prototype.normalize, \p{…} and the case mappings
 *   that V8 uses have tables of their own). Without it, Intl throws.
 * - The sources of built-in modules that are loaded when asked for: the TypeScript compiler, HTTP
 *   clients, the test runner, the REPL and more.
 * - The unwind tables: Node is built without C++ exceptions; one thrown by libstdc++ ends the
 *   process with them and without. The addon's own tables, which Rust's panics need, are elsewhere.
 */
export function unusedData(whole: Elf): Range[] {
  const tables = ['.eh_frame_hdr', '.eh_frame', '.gcc_except_table'].map((name) => sectionRange(whole, name));
  return [icuData(whole), ...unusedSources(whole), ...tables];
}

function icuData(whole: Elf): Range {
  const icu = symbols(whole).filter(({ name }) => /^icudt\d+_dat$/.test(name));
  if (icu.length !== 1 || !icu[0]) throw new Error('Node has no ICU data, or several');
  const { value, size } = icu[0];
  // After the header's size, the magic number (icu/source/common/ucmndata.h, MappedData).
  const at = fileOffset(whole, value);
  if (size < 0x1000000 || whole.bytes.readUInt16BE(at + 2) !== 0xda27) throw new Error('this is not the ICU data');
  return { start: value, end: value + size };
}

/**
 * What a start reads, by where the linker has put it: Node's own code and most of V8's come first in
 * .text, V8's snapshot and tables stand before ICU's data. A guess that is wrong costs time alone.
 *
 * @param unused what reads as zeros
 */
export function hotRanges(whole: Elf, unused: readonly Range[]): Range[] {
  const MB = 0x100000;
  const text = section(whole, '.text').vaddr & -PAGE;
  const icu = icuData(whole).start & -PAGE;
  const ends = unused.map(({ end }) => Math.ceil(end / PAGE) * PAGE);
  return [
    { start: text, end: text + 13 * MB },
    { start: Math.max(icu - 12 * MB, ...ends.filter((end) => end < icu)), end: icu },
  ];
}

/** Built-in modules of which none is loaded before main.ts, and none by it. */
const UNUSED_MODULES =
  /^internal\/(bench_runner|crypto|debugger|deps|dtls|http2|quic|repl|test_runner|vfs|webstreams)\b/;

/** Node has the source of each built-in module as text, of one byte a character if that is enough. */
function unusedSources(whole: Elf): Range[] {
  const { binding } = process as unknown as { binding(name: 'natives'): Record<string, string> };
  const constants = section(whole, '.rodata');
  const bytes = whole.bytes.subarray(constants.offset, constants.offset + constants.size);
  const sources = Object.entries(binding('natives')).filter(([name]) => UNUSED_MODULES.test(name));
  if (sources.length < 100) throw new Error('Node has other built-in modules than expected');
  return sources.map(([name, source]) => {
    for (const encoding of ['latin1', 'utf16le'] as const) {
      const text = Buffer.from(source, encoding);
      const offset = bytes.indexOf(text);
      if (offset >= 0) return { start: constants.vaddr + offset, end: constants.vaddr + offset + text.length };
    }
    throw new Error(`the source of ${name} is not in Node as it was published`);
  });
}

function sectionRange(elf: Elf, name: string): Range {
  const { vaddr, size } = section(elf, name);
  return { start: vaddr, end: vaddr + size };
}

function section(elf: Elf, name: string) {
  const found = elf.sections.get(name);
  if (!found) throw new Error(`no section ${name}`);
  return found;
}

/**
 * Abseil's deadlock detection: in the build that is published it is on, and on its first lock it
 * fills 1 MB for a graph of all locks. The variable is an atomic enum OnDeadlockCycle
 * (absl/synchronization/mutex.h): 2 is kAbort, 0 kIgnore.
 */
export function disableDeadlockDetection(node: Elf, whole: Elf): void {
  const variables = symbols(whole).filter(({ name }) =>
    name.startsWith('_ZN4absl12_GLOBAL__N_124synch_deadlock_detectionE'),
  );
  if (variables.length !== 1 || !variables[0]) throw new Error('no synch_deadlock_detection, or several');
  const at = fileOffset(node, variables[0].value);
  if (node.bytes.readUInt32LE(at) !== 2) throw new Error('synch_deadlock_detection is not kAbort');
  node.bytes.writeUInt32LE(0, at);
}

/**
 * Libraries that are empty since glibc 2.34, when libc took in all they had. They are left out: in
 * the files that need them, their name becomes libc's own.
 */
const STUBS = ['libdl.so.2', 'libpthread.so.0', 'librt.so.1'];

export function isStub(library: Elf, libc: Elf): boolean {
  if (!STUBS.includes(basename(library.name))) return false;
  const names = new Set(dynamicSymbols(libc).map(({ name }) => name));
  const missing = dynamicSymbols(library)
    .filter(({ name, defined }) => defined && !name.endsWith('_version_placeholder') && !names.has(name))
    .map(({ name }) => name);
  if (missing.length > 0) throw new Error(`${library.name} has what libc has not: ${missing}`);
  return true;
}

/** @param places where the dynamic strings of `elf` are: the file itself, or what it was made from */
export function useLibcForStubs(elf: Elf, places: Elf = elf): void {
  const { vaddr, size } = section(places, '.dynstr');
  const at = fileOffset(elf, vaddr);
  const strings = elf.bytes.subarray(at, at + size);
  for (const stub of STUBS) {
    const found = strings.indexOf(`\0${stub}\0`, 'latin1');
    if (found >= 0) strings.write('libc.so.6\0', found + 1, 'latin1');
  }
}

// elf(5), and for .gnu.hash: binutils, bfd/elflink.c, elf_gnu_hash_process_symidx.
const SYMBOL_SIZE = 24;
const RELA_SIZE = 24;
const STRING_TAGS = [1, 14, 15, 29]; // DT_NEEDED, DT_SONAME, DT_RPATH, DT_RUNPATH
const BLOOM_SHIFT = 6;

function gnuHash(name: string): number {
  let hash = 5381;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 33) + name.charCodeAt(i)) >>> 0;
  return hash;
}

/** The dynamic symbols of a library, imported and defined. */
export function dynamicSymbols(elf: Elf): { name: string; defined: boolean }[] {
  const table = section(elf, '.dynsym');
  const strings = section(elf, '.dynstr').offset;
  return Array.from({ length: table.size / SYMBOL_SIZE }, (_, i) => {
    const at = table.offset + i * SYMBOL_SIZE;
    const name = cString(elf.bytes, strings + elf.bytes.readUInt32LE(at));
    return { name, defined: elf.bytes.readUInt16LE(at + 6) !== 0 };
  });
}

function cString(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, bytes.indexOf(0, at));
}

/**
 * Leaves of Node's 46,000 dynamic symbols those that it imports, and those whose names one of the
 * libraries knows: it may import them, or bind to Node's in place of its own. The four tables are
 * written anew where they stand.
 *
 * @param places where the sections are; `node` itself, once stripped and injected, may not tell
 * @returns what has become free
 */
export function keepDynamicSymbols(node: Elf, places: Elf, known: ReadonlySet<string>): Range[] {
  const part = (name: string) => {
    const { vaddr, size } = section(places, name);
    const at = fileOffset(node, vaddr);
    return { vaddr, size, bytes: node.bytes.subarray(at, at + size) };
  };
  const [hashes, table, strings, versions] = ['.gnu.hash', '.dynsym', '.dynstr', '.gnu.version'].map(part) as [
    ReturnType<typeof part>,
    ReturnType<typeof part>,
    ReturnType<typeof part>,
    ReturnType<typeof part>,
  ];
  const relocations = [part('.rela.dyn'), part('.rela.plt')].flatMap(({ bytes }) =>
    Array.from({ length: bytes.length / RELA_SIZE }, (_, i) => bytes.subarray(i * RELA_SIZE, (i + 1) * RELA_SIZE)),
  );
  const relocated = new Set(relocations.map((entry) => entry.readUInt32LE(12)));

  const firstHashed = hashes.bytes.readUInt32LE(4);
  const all = Array.from({ length: table.size / SYMBOL_SIZE }, (_, index) => {
    const entry = Buffer.from(table.bytes.subarray(index * SYMBOL_SIZE, (index + 1) * SYMBOL_SIZE));
    const name = cString(strings.bytes, entry.readUInt32LE(0));
    return { index, entry, name, hash: gnuHash(name), version: versions.bytes.readUInt16LE(index * 2) };
  });
  const imported = all.slice(0, firstHashed);
  const hashed = all.slice(firstHashed).filter(({ index, name }) => relocated.has(index) || known.has(name));
  const buckets = Math.max(1, hashed.length >> 1);
  hashed.sort((a, b) => (a.hash % buckets) - (b.hash % buckets));
  const kept = [...imported, ...hashed];

  // Strings: those of the symbols, of .dynamic and of the needed versions.
  const pool: Buffer[] = [Buffer.from([0])];
  const interned = new Map([['', 0]]);
  let poolSize = 1;
  const intern = (text: string): number => {
    const known = interned.get(text);
    if (known !== undefined) return known;
    const at = poolSize;
    pool.push(Buffer.from(`${text}\0`, 'latin1'));
    interned.set(text, at);
    poolSize += text.length + 1;
    return at;
  };
  const moveString = (bytes: Buffer, at: number) =>
    bytes.writeUInt32LE(intern(cString(strings.bytes, bytes.readUInt32LE(at))), at);
  for (const { entry, name } of kept) entry.writeUInt32LE(intern(name), 0);
  const dynamic = part('.dynamic').bytes;
  for (let at = 0; at < dynamic.length; at += 16) {
    if (STRING_TAGS.includes(dynamic.readUInt32LE(at))) moveString(dynamic, at + 8);
  }
  const needed = part('.gnu.version_r').bytes;
  for (let file = 0, next = 1; next !== 0; file += next) {
    moveString(needed, file + 4);
    let version = file + needed.readUInt32LE(file + 8);
    for (let left = needed.readUInt16LE(file + 2); left > 0; left--) {
      moveString(needed, version + 8);
      version += needed.readUInt32LE(version + 12);
    }
    next = needed.readUInt32LE(file + 12);
  }

  // The hash table: header, Bloom filter, buckets, chains.
  const bloomWords = 2 ** Math.ceil(Math.log2(Math.max(1, hashed.length / 8)));
  const hashTable = Buffer.alloc(16 + bloomWords * 8 + buckets * 4 + hashed.length * 4);
  for (const [i, value] of [buckets, firstHashed, bloomWords, BLOOM_SHIFT].entries())
    hashTable.writeUInt32LE(value, i * 4);
  hashed.forEach(({ hash }, i) => {
    const word = 16 + (Math.floor(hash / 64) % bloomWords) * 8;
    const bits = (1n << BigInt(hash % 64)) | (1n << BigInt((hash >>> BLOOM_SHIFT) % 64));
    hashTable.writeBigUInt64LE(hashTable.readBigUInt64LE(word) | bits, word);
    const bucket = 16 + bloomWords * 8 + (hash % buckets) * 4;
    if (hashTable.readUInt32LE(bucket) === 0) hashTable.writeUInt32LE(firstHashed + i, bucket);
    const next = hashed[i + 1];
    const last = !next || next.hash % buckets !== hash % buckets;
    const chain = 16 + bloomWords * 8 + buckets * 4 + i * 4;
    hashTable.writeUInt32LE(((hash & ~1) | Number(last)) >>> 0, chain);
  });

  const moved = new Map(kept.map(({ index }, i) => [index, i]));
  for (const entry of relocations) entry.writeUInt32LE(moved.get(entry.readUInt32LE(12)) ?? 0, 12);

  const versionTable = Buffer.alloc(kept.length * 2);
  for (const [i, { version }] of kept.entries()) versionTable.writeUInt16LE(version, i * 2);
  const written = [
    [hashes, hashTable],
    [table, Buffer.concat(kept.map(({ entry }) => entry))],
    [strings, Buffer.concat(pool)],
    [versions, versionTable],
  ] as const;
  return written.map(([place, bytes]) => {
    if (bytes.length > place.size) throw new Error('a table of dynamic symbols has grown');
    place.bytes.fill(0);
    bytes.copy(place.bytes);
    return { start: place.vaddr + bytes.length, end: place.vaddr + place.size };
  });
}
