/**
 * Joins launcher, dynamic loader, libraries, guard, addon and Node into one static executable.
 *
 * All parts become PT_LOAD segments of one ELF file, so that the kernel maps them, and only the
 * pages that are touched cost memory; the page cache of the file is shared by every container of
 * a host. Node and the launcher have fixed addresses of their own; the loader, position
 * independent, is given one. The libraries lie in one read-only segment, from which the launcher
 * copies them.
 *
 *   pack.ts LAUNCHER LOADER PUBLISHED-NODE NODE OUTPUT LIBRARY…      (share.so first, the guard second, the addon last)
 */
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import {
  type Elf,
  EM_X86_64,
  elfHeaders,
  fileOffset,
  PF_W,
  PT_GNU_PROPERTY,
  PT_GNU_STACK,
  PT_LOAD,
  PT_PHDR,
  parseElf,
  type Segment,
} from './elf.ts';
import {
  disableDeadlockDetection,
  dynamicSymbols,
  hotRanges,
  isStub,
  keepDynamicSymbols,
  type Range,
  unusedData,
  useLibcForStubs,
} from './trim.ts';

/** The largest page size of the two architectures (aarch64 kernels come with 4, 16 and 64 KiB). */
const PAGE = 0x10000;
/** Below the launcher (Makefile, LAUNCHER_BASE) and above Node, whose end is checked. */
const LOADER_BASE = 0x1e000000;
const LIBRARIES_BASE = 0x1f000000;
/** As in launcher.c. */
const MAX_LIBRARIES = 16;
const HOT = 2;
/** Each cut costs two more mappings at the start. */
const LEAST_CUT = 4 * PAGE;
const NAME_SIZE = 32;
const ROW_SIZE = 32 + NAME_SIZE;
/** Where an ELF header has the offset of the section headers, which no loader reads. */
const E_SHOFF = 40;

const roundUp = (n: number) => Math.ceil(n / PAGE) * PAGE;

const [launcherPath, loaderPath, wholePath, nodePath, output, ...libraryPaths] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  ...string[],
];

const read = (path: string): Elf => parseElf(readFileSync(path), path);
const launcher = read(launcherPath);
const loader = read(loaderPath);
const node = read(nodePath);
/** Node as it was published, whose sections and symbols tell where everything is. */
const whole = read(wholePath);

// The image's /etc/ld.so.preload and /etc/ld.so.cache would name code for the loader to run. An
// empty path is never found.
for (const path of ['/etc/ld.so.preload', '/etc/ld.so.cache']) {
  const at = loader.bytes.indexOf(`${path}\0`, 'latin1');
  if (at < 0) throw new Error(`${loaderPath} does not hold ${path}`);
  loader.bytes[at] = 0;
}

// glibc creates threads and processes by clone3, and falls back to clone if that says ENOSYS. Seccomp
// profiles that don't know clone3 make it say EPERM (Docker before 20.10.10), which ends Node. The
// shipped libc says ENOSYS by itself. Machine code, by e_machine (elf.h):
const CLONE3: Record<number, { call: string; enosys: string } | undefined> = {
  62: { call: 'b8b30100000f05', enosys: '48c7c0daffffff' }, // mov $435,%eax; syscall -> mov $-38,%rax
  183: { call: '683680d2010000d4', enosys: 'a00480921f2003d5' }, // mov x8,#435; svc #0 -> mov x0,#-38; nop
};

function withoutClone3({ machine, bytes }: Elf): void {
  const code = CLONE3[machine];
  const next = () => (code ? bytes.indexOf(code.call, 0, 'hex') : -1);
  for (let at = next(); at >= 0; at = next()) bytes.write(code?.enosys ?? '', at, 'hex');
}

// Node without what an init never uses; ranges that touch become one.
disableDeadlockDetection(node, whole);
const found = libraryPaths.map(read);
const libc = found.find(({ name }) => basename(name) === 'libc.so.6');
if (!libc) throw new Error('no libc.so.6 among the libraries');
if (basename(libraryPaths[0] ?? '') !== 'share.so') throw new Error('the first library is share.so');
const libraries = found.filter((library) => !isStub(library, libc));
if (libraries.length > MAX_LIBRARIES) throw new Error(`more than ${MAX_LIBRARIES} libraries`);
for (const library of libraries) useLibcForStubs(library);
withoutClone3(libc);
useLibcForStubs(node, whole);
const known = new Set(libraries.flatMap(dynamicSymbols).map(({ name }) => name));
const unused: Range[] = [];
for (const { start, end } of [...unusedData(whole), ...keepDynamicSymbols(node, whole, known)].sort(
  (a, b) => a.start - b.start,
)) {
  node.bytes.fill(0, fileOffset(node, start), fileOffset(node, end - 1) + 1);
  // Ranges with nothing but zeros between them are one.
  const last = unused.at(-1);
  if (last && node.bytes.subarray(fileOffset(node, last.end), fileOffset(node, start)).every((byte) => byte === 0)) {
    last.end = end;
  } else {
    unused.push({ start, end });
  }
}

/** What the output consists of, in file order. */
const parts: { segment: Segment; bytes: Buffer; head: number }[] = [];
let fileEnd = PAGE; // the headers have the first page

/** @param head how many of the bytes stand before the segment, in its first page, which the kernel maps whole */
function add(bytes: Buffer, vaddr: number, memsz: number, flags: number, head = 0): void {
  // From the start of the page, so that offset and address agree modulo the page size.
  const offset = fileEnd + (vaddr % PAGE);
  const segment = { type: PT_LOAD, flags, offset, vaddr, filesz: bytes.length - head, memsz, align: PAGE };
  parts.push({ segment, bytes, head });
  fileEnd = roundUp(offset + segment.filesz);
}

/** @param unused what is not stored: whole pages of it become segments without bytes, zeros */
function addElf({ bytes, segments }: Elf, base: number, unused: readonly Range[] = []): void {
  for (const { type, flags, offset, vaddr, filesz, memsz, align } of segments) {
    if (type !== PT_LOAD) continue;
    // Linkers let a segment begin in the page in which another ends: both are in that page's bytes.
    let head = filesz === 0 ? 0 : offset % align;
    let from = vaddr;
    const store = (stop: number, memoryEnd: number) => {
      const piece = bytes.subarray(offset + from - vaddr - head, offset + stop - vaddr);
      add(piece, base + from, memoryEnd - from, flags, head);
      head = 0;
    };
    const end = vaddr + filesz;
    for (const range of unused) {
      const [start, stop] = [roundUp(range.start), roundUp(range.end - PAGE + 1)];
      if (start < from || stop > end || stop - start < LEAST_CUT) continue;
      if (start > from) store(start, start);
      add(Buffer.alloc(0), base + start, stop - start, flags);
      from = stop;
    }
    store(end, vaddr + memsz);
  }
}

// The file begins with all that is touched before the launcher has looked at the file's size, so that
// it can speak up when the end is missing: by the launcher, and by the kernel, which zeroes what is
// left of a writable segment's last page.
addElf(launcher, 0);
addElf(loader, LOADER_BASE);
addElf({ ...node, segments: node.segments.toSorted((a, b) => (b.flags & PF_W) - (a.flags & PF_W)) }, 0, unused);

const rows: { start: number; size: number; head: number; tail: number; name: string }[] = [];
const images: Buffer[] = [];
let end = LIBRARIES_BASE;
for (const [i, library] of libraries.entries()) {
  // Aligned as it wants to be, for its pages are moved from here (src/launcher/share.c).
  const align = Math.max(...library.segments.map(({ type, align }) => (type === PT_LOAD ? align : 0)));
  const start = Math.ceil(end / align) * align;
  library.bytes.writeBigUInt64LE(BigInt(start), E_SHOFF);
  rows.push({ start, ...loaderNeeds(library, i === 0), name: basename(library.name).slice(0, NAME_SIZE - 1) });
  images.push(Buffer.alloc(start - end), library.bytes);
  end = start + library.bytes.length;
}
add(Buffer.concat(images), LIBRARIES_BASE, end - LIBRARIES_BASE, 4);

/**
 * What the loader reads of a library before it calls share.c: the headers, notes, hash table and
 * dynamic symbols; and the segments that are written. The first library is share.c: needed whole.
 */
function loaderNeeds(
  { name, machine, segments, sections }: Elf,
  whole: boolean,
): { size: number; head: number; tail: number } {
  const loads = segments.filter(({ type }) => type === PT_LOAD);
  const written = loads.filter(({ flags }) => flags & PF_W);
  const size = Math.max(...written.map(({ offset, filesz }) => offset + filesz));
  const tail = Math.min(...written.map(({ offset }) => offset));
  if (whole) return { size, head: tail, tail };
  const strings = sections.get('.dynstr');
  // Notes that no PT_GNU_PROPERTY tells of are read on x86_64 alone (glibc, sysdeps/*/dl-prop.h).
  const notes = machine === EM_X86_64 || segments.some(({ type }) => type === PT_GNU_PROPERTY);
  const first = ['.hash', '.gnu.hash', '.dynsym', ...(notes ? ['.note.gnu.property'] : [])].map(
    (section) => sections.get(section)?.offset ?? 0,
  );
  const shared = loads.filter(({ flags }) => !(flags & PF_W));
  if (
    !strings ||
    Math.max(...first) > strings.offset ||
    shared.some(({ offset, filesz, vaddr, align }) => vaddr % align || offset % align || offset + filesz > tail)
  ) {
    throw new Error(`${name} is not laid out as expected`);
  }
  return { size, head: strings.offset + strings.size, tail };
}

// In address order, as the kernel wants PT_LOADs, and apart by pages of any size.
const segments = parts.map(({ segment }) => segment).sort((a, b) => a.vaddr - b.vaddr);
for (const [i, segment] of segments.entries()) {
  const before = segments[i - 1];
  if (before && before.vaddr + before.memsz > segment.vaddr) throw new Error('segments overlap');
}

const hot = hotRanges(whole, unused);
if (hot.length !== HOT) throw new Error('the launcher expects another number of hot ranges');

/** The whole pages of Node's segment that holds a section; none of them can ever be written to. */
function unwritten(name: string): Range {
  const at = whole.sections.get(name)?.vaddr ?? 0;
  const segment = node.segments.find(
    ({ type, vaddr, filesz }) => type === PT_LOAD && vaddr <= at && at < vaddr + filesz,
  );
  if (!segment || segment.flags & PF_W) throw new Error(`${name} is not in a read-only segment`);
  const { vaddr, filesz } = segment;
  return { start: roundUp(vaddr), end: roundUp(vaddr + filesz - PAGE + 1) };
}

const phdr = node.segments.find(({ type }) => type === PT_PHDR);
const table = launcher.sections.get('.payload');
if (!phdr || !table) throw new Error('Node has no PT_PHDR, or the launcher no .payload');
const fields = [
  fileEnd,
  node.entry,
  phdr.vaddr,
  node.segments.length,
  LOADER_BASE,
  LOADER_BASE + loader.entry,
  ...[...hot, unwritten('.text'), unwritten('.rodata')].flatMap(({ start, end }) => [start, end - start]),
  libraries.length,
];
const sumAt = fields.length * 8 + MAX_LIBRARIES * ROW_SIZE;
const payload = Buffer.alloc(sumAt + 8);
if (payload.length !== table.size) throw new Error('the payload table has another layout in launcher.c');
for (const [i, value] of fields.entries()) payload.writeBigUInt64LE(BigInt(value), i * 8);
rows.forEach(({ start, size, head, tail, name }, i) => {
  const row = fields.length * 8 + i * ROW_SIZE;
  for (const [field, value] of [start, size, head, tail].entries())
    payload.writeBigUInt64LE(BigInt(value), row + field * 8);
  payload.write(name, row + 32, 'latin1');
});
let sum = 0n;
for (let at = 0; at < sumAt; at += 8) {
  sum = BigInt.asUintN(64, (sum ^ payload.readBigUInt64LE(at)) * 0x100000001b3n);
}
payload.writeBigUInt64LE(sum, sumAt);
payload.copy(launcher.bytes, table.offset);

const stack: Segment = { type: PT_GNU_STACK, flags: 6, offset: 0, vaddr: 0, filesz: 0, memsz: 0, align: 16 };
const file = Buffer.alloc(fileEnd);
elfHeaders(node.machine, launcher.entry, [...segments, stack]).copy(file);
for (const { segment, bytes, head } of parts) bytes.copy(file, segment.offset - head);

writeFileSync(`${output}.tmp`, file);
chmodSync(`${output}.tmp`, 0o755);
renameSync(`${output}.tmp`, output);
