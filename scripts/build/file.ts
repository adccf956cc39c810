/** The executable as it grows: segments, and what the file holds of each. */
import { elfHeaders, PF_R, PF_W, PF_X, PT_GNU_STACK, PT_LOAD, type Segment } from './elf.ts';
import { MOST_HEADERS } from './layout.ts';
import { pageEnd } from './loaded.ts';

const STACK: Segment = { type: PT_GNU_STACK, flags: PF_R | PF_W, offset: 0, vaddr: 0, filesz: 0, memsz: 0, align: 16 };

export class ExecutableFile {
  readonly #page: number;
  readonly #segments: Segment[] = [];
  readonly #contents: { offset: number; bytes: Buffer }[] = [];
  #end = 0;

  /** @param page the size of the largest page there is */
  constructor(page: number) {
    this.#page = page;
  }

  /**
   * Adds a segment. The file begins with what is added first.
   *
   * @param size in memory
   * @param bytes what is stored of it, to which may be written until `build`; without, it is zeros
   */
  add(vaddr: number, flags: number, size: number, bytes?: Buffer): void {
    if ((flags & (PF_W | PF_X)) === (PF_W | PF_X)) throw new Error('a segment is writable and executable');
    // Loaders in user space (PRoot, udocker) zero what has no bytes in the file by writing.
    if (!bytes && !(flags & PF_W)) throw new Error('a segment that is not stored is read-only');
    const offset = bytes ? pageEnd(this.#end, this.#page) + (vaddr % this.#page) : 0;
    if (bytes) {
      this.#contents.push({ offset, bytes });
      this.#end = offset + bytes.length;
    }
    this.#segments.push({
      type: PT_LOAD,
      flags,
      offset,
      vaddr,
      filesz: bytes?.length ?? 0,
      memsz: size,
      align: this.#page,
    });
  }

  /** The segments in address order, as the kernel wants them. */
  get segments(): readonly Segment[] {
    return this.#segments.toSorted((a, b) => a.vaddr - b.vaddr);
  }

  /** Whether what is at an address is stored. */
  stores(address: number): boolean {
    return this.#segments.some(({ vaddr, filesz }) => vaddr <= address && address < vaddr + filesz);
  }

  /** What is stored from an address on, to the end of its segment. */
  at(address: number): Buffer {
    const segment = this.#segments.find(({ vaddr, filesz }) => vaddr <= address && address < vaddr + filesz);
    const content = this.#contents.find(({ offset }) => offset === segment?.offset);
    if (!segment || !content) throw new Error(`0x${address.toString(16)} is not stored`);
    return content.bytes.subarray(address - segment.vaddr);
  }

  /** Header and program headers. */
  headers(machine: number, entry: number): Buffer {
    const { segments } = this;
    for (const [i, { vaddr }] of segments.entries()) {
      const before = segments[i - 1];
      if (before && before.vaddr + before.memsz > vaddr) throw new Error('segments overlap');
    }
    if (segments.length + 1 > MOST_HEADERS) throw new Error('there are too many program headers');
    return elfHeaders(machine, entry, [...segments, STACK]);
  }

  build(): Buffer {
    const file = Buffer.alloc(this.#end);
    for (const { offset, bytes } of this.#contents) bytes.copy(file, offset);
    return file;
  }
}
