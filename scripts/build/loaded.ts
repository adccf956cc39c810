/** The files that were mapped when the process was frozen, and where. */
import { basename } from 'node:path';
import type { Dump, Range } from './dump.ts';
import { definedSymbols, type Elf, ET_EXEC, PT_LOAD } from './elf.ts';

export const pageStart = (address: number, page: number) => address - (address % page);
export const pageEnd = (address: number, page: number) => Math.ceil(address / page) * page;

/** A mapped file, and where its address 0 is. */
export interface Loaded {
  elf: Elf;
  base: number;
}

/** Files by their names. */
export function loadedFiles(dump: Dump, files: readonly Elf[]): Map<string, Loaded> {
  const found = new Map<string, Loaded>();
  for (const elf of files) {
    const name = basename(elf.name);
    const region = dump.regions.find((region) => region.name === name);
    if (!region) throw new Error(`${name} was not mapped`);
    found.set(name, { elf, base: elf.type === ET_EXEC ? 0 : region.start });
  }
  return found;
}

/** What must be there. */
export function get<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key);
  if (value === undefined) throw new Error(`there is no ${key}`);
  return value;
}

/** Addresses of what a mapped file exports. */
export const exportsOf = ({ elf, base }: Loaded) =>
  new Map(definedSymbols(elf).map(({ name, value }) => [name, base + value] as const));

/** What of a mapped file has certain rights, in whole pages. */
export const segmentsWith = ({ elf, base }: Loaded, right: number): Range[] =>
  elf.segments
    .filter(({ type, flags }) => type === PT_LOAD && flags & right)
    .map(({ vaddr, memsz }) => ({
      start: pageStart(base + vaddr, 0x1000),
      end: pageEnd(base + vaddr + memsz, 0x1000),
    }));
