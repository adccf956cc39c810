/** The little of ELF64, little-endian, that the packer reads and writes (elf(5)). */

export const PT_LOAD = 1;
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;
export const ET_EXEC = 2;
export const PT_GNU_STACK = 0x6474e551;
export const EM_AARCH64 = 183;

export const EHDR_SIZE = 64;
export const PHDR_SIZE = 56;

export interface Segment {
  type: number;
  /** PF_X 1, PF_W 2, PF_R 4. */
  flags: number;
  offset: number;
  vaddr: number;
  filesz: number;
  memsz: number;
  align: number;
}

export interface Elf {
  name: string;
  bytes: Buffer;
  /** ET_EXEC, or ET_DYN. */
  type: number;
  machine: number;
  entry: number;
  segments: Segment[];
  /** Section name to its place in the file. */
  sections: Map<string, { offset: number; vaddr: number; size: number }>;
}

const u64 = (bytes: Buffer, offset: number) => Number(bytes.readBigUInt64LE(offset));

export function parseElf(bytes: Buffer, name: string): Elf {
  if (bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) {
    throw new Error(`${name} is no 64-bit little-endian ELF file`);
  }
  const phoff = u64(bytes, 32);
  const shoff = u64(bytes, 40);
  const [phnum, shnum, shstrndx] = [bytes.readUInt16LE(56), bytes.readUInt16LE(60), bytes.readUInt16LE(62)];

  const segments = Array.from({ length: phnum }, (_, i): Segment => {
    const at = phoff + i * PHDR_SIZE;
    return {
      type: bytes.readUInt32LE(at),
      flags: bytes.readUInt32LE(at + 4),
      offset: u64(bytes, at + 8),
      vaddr: u64(bytes, at + 16),
      filesz: u64(bytes, at + 32),
      memsz: u64(bytes, at + 40),
      align: u64(bytes, at + 48),
    };
  });

  const header = (i: number) => shoff + i * 64;
  const names = shnum === 0 ? 0 : u64(bytes, header(shstrndx) + 24);
  const sections: Elf['sections'] = new Map();
  for (let i = 0; i < shnum; i++) {
    const start = names + bytes.readUInt32LE(header(i));
    const text = bytes.toString('latin1', start, bytes.indexOf(0, start));
    const [vaddr, offset, size] = [16, 24, 32].map((field) => u64(bytes, header(i) + field)) as [
      number,
      number,
      number,
    ];
    sections.set(text, { offset, vaddr, size });
  }
  return {
    name,
    bytes,
    type: bytes.readUInt16LE(16),
    machine: bytes.readUInt16LE(18),
    entry: u64(bytes, 24),
    segments,
    sections,
  };
}

export const STT_GNU_IFUNC = 10;

export interface ElfSymbol {
  name: string;
  type: number;
  value: number;
  size: number;
}

function symbolsIn({ name, bytes, sections }: Elf, tableName: string, stringsName: string) {
  const [table, strings] = [sections.get(tableName), sections.get(stringsName)];
  if (!table || !strings) throw new Error(`${name} has no ${tableName}`);
  return Array.from({ length: table.size / 24 }, (_, i) => {
    const at = table.offset + i * 24;
    const text = strings.offset + bytes.readUInt32LE(at);
    return {
      name: bytes.toString('latin1', text, bytes.indexOf(0, text)),
      /** STT_FUNC, STT_GNU_IFUNC … */
      type: bytes.readUInt8(at + 4) & 15,
      section: bytes.readUInt16LE(at + 6),
      value: u64(bytes, at + 8),
      size: u64(bytes, at + 16),
    };
  });
}

/** The symbol table of a file that is not stripped. */
export const symbols = (elf: Elf): ElfSymbol[] => symbolsIn(elf, '.symtab', '.strtab');

/** The dynamic symbols that a file defines, each in its default version (.gnu.version: the others are hidden). */
export function definedSymbols(elf: Elf): ElfSymbol[] {
  const versions = elf.sections.get('.gnu.version')?.offset;
  const hidden = (i: number) => versions !== undefined && (elf.bytes.readUInt16LE(versions + i * 2) & 0x8000) !== 0;
  return symbolsIn(elf, '.dynsym', '.dynstr').filter(
    ({ name, section }, i) => section !== 0 && name !== '' && !hidden(i),
  );
}

/** The shared libraries that a file asks for, by their SONAMEs (DT_NEEDED). */
export function neededLibraries({ name, bytes, sections }: Elf): string[] {
  const [table, strings] = [sections.get('.dynamic'), sections.get('.dynstr')];
  if (!table || !strings) throw new Error(`${name} has no .dynamic`);
  const entries = Array.from({ length: table.size / 16 }, (_, i) => table.offset + i * 16);
  return entries
    .filter((at) => u64(bytes, at) === DT_NEEDED)
    .map((at) => strings.offset + u64(bytes, at + 8))
    .map((text) => bytes.toString('latin1', text, bytes.indexOf(0, text)));
}
const DT_NEEDED = 1;

/** Where in the file an address is stored. */
export function fileOffset({ segments }: Elf, address: number): number {
  const segment = segments.find(
    ({ type, vaddr, filesz }) => type === PT_LOAD && vaddr <= address && address < vaddr + filesz,
  );
  if (!segment) throw new Error(`address ${address.toString(16)} is not stored`);
  return segment.offset + address - segment.vaddr;
}

/** Header and program headers of a static ET_EXEC file without sections. */
export function elfHeaders(machine: number, entry: number, segments: readonly Segment[]): Buffer {
  const bytes = Buffer.alloc(EHDR_SIZE + segments.length * PHDR_SIZE);
  bytes.write('\x7fELF\x02\x01\x01', 'latin1');
  bytes.writeUInt16LE(2, 16); // ET_EXEC
  bytes.writeUInt16LE(machine, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(BigInt(entry), 24);
  bytes.writeBigUInt64LE(BigInt(EHDR_SIZE), 32);
  bytes.writeUInt16LE(EHDR_SIZE, 52);
  bytes.writeUInt16LE(PHDR_SIZE, 54);
  bytes.writeUInt16LE(segments.length, 56);
  bytes.writeUInt16LE(64, 58);
  segments.forEach((segment, i) => {
    const at = EHDR_SIZE + i * PHDR_SIZE;
    bytes.writeUInt32LE(segment.type, at);
    bytes.writeUInt32LE(segment.flags, at + 4);
    const { offset, vaddr, filesz, memsz, align } = segment;
    [offset, vaddr, vaddr, filesz, memsz, align].forEach((value, field) => {
      bytes.writeBigUInt64LE(BigInt(value), at + 8 + field * 8);
    });
  });
  return bytes;
}
