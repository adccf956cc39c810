/**
 * What of Node need not be stored, for nothing asks for it after the freeze. Every place is found by section or
 * symbol of the Node that is not stripped, for either architecture; what isn't where it is expected ends the
 * build.
 */
import { type Dump, memoryAt, type Range } from './dump.ts';
import { type Elf, type ElfSymbol, fileOffset, symbols } from './elf.ts';

/**
 * What is left out of the file, where it fills whole pages: to read it is a fault.
 *
 * - The data of ICU: only Intl asks for it (String.prototype.normalize, \p{…} and the case mappings
 *   that V8 uses have tables of their own).
 * - The sources of built-in modules that were not loaded: the TypeScript compiler, HTTP clients, the test runner,
 *   the REPL and more.
 * - The snapshot from which V8 has started, and the code cache of the built-in modules.
 * - The tables by which the loader has bound Node to its libraries.
 * - The unwind tables: Node is built without C++ exceptions; one thrown by libstdc++ ends the
 *   process with them and without. The addon's own tables, which Rust's panics need, are elsewhere.
 *
 * @param dump of the frozen process
 * @param loaded names of the modules that were loaded
 */
export function unusedData(whole: Elf, dump: Dump, loaded: ReadonlySet<string>): Range[] {
  const dynamic = ['.gnu.hash', '.dynsym', '.dynstr', '.gnu.version', '.rela.dyn', '.rela.plt'].map((name) =>
    sectionRange(whole, name),
  );
  const tables = ['.eh_frame_hdr', '.eh_frame', '.gcc_except_table'].map((name) => sectionRange(whole, name));
  return joined([icuData(whole), ...snapshot(whole, dump), ...unusedSources(whole, loaded), ...tables, ...dynamic]);
}

/** The one symbol of Node's of that name. */
function only(whole: Elf, name: RegExp): ElfSymbol {
  const found = symbols(whole).filter((symbol) => name.test(symbol.name));
  if (found.length !== 1 || !found[0]) throw new Error(`Node has ${found.length} symbols ${name}`);
  return found[0];
}

/** V8's start as Node brings it along, and its bytecode of built-in modules: both are the dump's own now. */
function snapshot(whole: Elf, dump: Dump): Range[] {
  const caches = codeCaches(whole, dump);
  const ranges = [startupData(whole, dump), ...caches];
  const constants = sectionRange(whole, '.rodata');
  if (caches.length < 100 || ranges.some((range) => range.start < constants.start || range.end > constants.end)) {
    throw new Error("Node's snapshot is not where it is expected");
  }
  return ranges;
}

/** v8::StartupData: a pointer and an int. */
function startupData(whole: Elf, dump: Dump): Range {
  const blob = memoryAt(dump, only(whole, /^_ZN4nodeL19first_snapshot_blobE$/).value);
  const start = Number(blob.readBigUInt64LE(0));
  return { start, end: start + blob.readInt32LE(8) };
}

/**
 * node::SnapshotData has a std::vector of what begins with a std::string, a pointer and a size
 * (src/node_snapshotable.h). Of its words two behind each other are the vector's begin and end: so far apart as no
 * others are.
 */
function codeCaches(whole: Elf, dump: Dump): Range[] {
  const { value, size } = only(whole, /^_ZN4nodeL13snapshot_dataE$/);
  const data = memoryAt(dump, value).subarray(0, size);
  const words = Array.from({ length: size / 8 }, (_, i) => Number(data.readBigUInt64LE(i * 8)));
  return words.flatMap((begin, i) => {
    const count = ((words[i + 1] ?? 0) - begin) / SIZEOF_CODE_CACHE;
    if (begin === 0 || !Number.isInteger(count) || count < 100 || count > 10_000) return [];
    const entries = memoryAt(dump, begin);
    return Array.from({ length: count }, (_, entry): Range => {
      const at = entry * SIZEOF_CODE_CACHE + SIZEOF_STRING;
      const start = Number(entries.readBigUInt64LE(at));
      return { start, end: start + Number(entries.readBigUInt64LE(at + 8)) };
    });
  });
}
const SIZEOF_STRING = 32;
const SIZEOF_CODE_CACHE = 64;

/** Ranges in their order; those that nearly touch are one. */
function joined(ranges: readonly Range[]): Range[] {
  const all: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = all.at(-1);
    if (last && range.start - last.end < ALIGNMENT) last.end = Math.max(last.end, range.end);
    else all.push({ ...range });
  }
  return all;
}
/** What lies between is filled up for alignment. */
const ALIGNMENT = 32;

function icuData(whole: Elf): Range {
  const { value, size } = only(whole, /^icudt\d+_dat$/);
  // After the header's size, the magic number (icu/source/common/ucmndata.h, MappedData).
  const at = fileOffset(whole, value);
  if (size < 0x1000000 || whole.bytes.readUInt16BE(at + 2) !== 0xda27) throw new Error('this is not the ICU data');
  return { start: value, end: value + size };
}

/**
 * Node has the source of each built-in module as text, of one byte a character if that is enough. Those of modules
 * that were loaded stay: V8 compiles a function when it is called first.
 */
function unusedSources(whole: Elf, loaded: ReadonlySet<string>): Range[] {
  const { binding } = process as unknown as { binding(name: 'natives'): Record<string, string | undefined> };
  const constants = section(whole, '.rodata');
  const bytes = whole.bytes.subarray(constants.offset, constants.offset + constants.size);
  const sources = Object.entries(binding('natives')).filter(([name]) => !loaded.has(name));
  if (sources.length < 100) throw new Error('Node has other built-in modules than expected');
  return sources.flatMap(([name, source]) => {
    if (source === undefined) return [];
    for (const encoding of ['latin1', 'utf16le'] as const) {
      const text = Buffer.from(source, encoding);
      const offset = bytes.indexOf(text);
      if (offset >= 0) return [{ start: constants.vaddr + offset, end: constants.vaddr + offset + text.length }];
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
