/**
 * What of Node need not be stored, for nothing asks for it after the freeze. Every place is found by section or
 * symbol of the Node that is not stripped, for either architecture; what isn't where it is expected ends the
 * build.
 */
import type { Range } from './dump.ts';
import { type Elf, fileOffset, symbols } from './elf.ts';

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
