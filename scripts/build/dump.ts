/** What the stage has written down of the process that was frozen (src/image/stage/dump.c). */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** One mapping of the frozen process. */
export interface Region {
  start: number;
  end: number;
  writable: boolean;
  /** The file's name, `[stack]`, or ''. */
  name: string;
  bytes: Buffer;
}

/** Addresses, the end not included. */
export interface Range {
  start: number;
  end: number;
}

/** A file that was mapped: how the loader tells one from another (stat(2), st_dev and st_ino). */
export interface FileId {
  device: bigint;
  inode: bigint;
}

export interface Dump {
  regions: Region[];
  files: FileId[];
  /** Address space that was mapped and can't be read. */
  holes: Range[];
}

/** @param folder where `maps` and `memory` are */
export function readDump(folder: string): Dump {
  const memory = readFileSync(`${folder}/memory`);
  const bytes = new Map<number, Buffer>();
  for (let at = 0; ; ) {
    const [start, end] = [memory.readBigUInt64LE(at), memory.readBigUInt64LE(at + 8)].map(Number) as [number, number];
    at += 16;
    if (end === 0) break;
    bytes.set(start, memory.subarray(at, at + end - start));
    at += end - start;
  }
  const regions: Region[] = [];
  const files: FileId[] = [];
  const holes: Range[] = [];
  for (const line of readFileSync(`${folder}/maps`, 'latin1').trim().split('\n')) {
    const [, from = '', to = '', rights = '', major = '', minor = '', inode = '', path = ''] =
      /^(\w+)-(\w+) (\S+) \S+ (\w+):(\w+) (\d+)\s*(.*)/.exec(line) ?? [];
    if (inode !== '0' && files.at(-1)?.inode !== BigInt(inode)) {
      files.push({ device: BigInt(`0x${major}${minor.padStart(2, '0')}`), inode: BigInt(inode) });
    }
    const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
    const content = bytes.get(start);
    if (content) regions.push({ start, end, writable: rights[1] === 'w', name: basename(path), bytes: content });
    else if (rights.startsWith('---')) holes.push({ start, end });
  }
  return { regions, files, holes };
}

/** The bytes of memory from an address on, to the end of their region. */
export function memoryAt({ regions }: Dump, address: number): Buffer {
  const region = regions.find(({ start, end }) => start <= address && address < end);
  if (!region) throw new Error(`address ${address.toString(16)} was not frozen`);
  return region.bytes.subarray(address - region.start);
}
