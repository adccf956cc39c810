/**
 * Takes the processor's clock away from code that runs before the freeze, so that two freezes are the same:
 * time stamps would get into statistics, and into the order in which locks and tables are used.
 */
import { execFileSync } from 'node:child_process';
import { type Elf, EM_AARCH64, fileOffset, symbols } from './elf.ts';

/** The functions of Node that read it, abseil's and OpenSSL's; of the loader any may. */
const READERS =
  /^_ZN4absl(?:5Mutex\d+(?:UnlockSlow|AwaitCommon|LockSlowWithDeadline)E|L7EnqueueE|7CondVar\d+WaitCommonE|13base_internal(?:8SpinLock\d+SlowLock|L14GetTimeTscPair)E)|^OPENSSL_rdtsc$|^ossl_method_store_cache_set$/;

/** What objdump(1) shows of a read, and the code in its place: the result is 0. */
const READS: Record<'x86_64' | 'aarch64', { line: RegExp; write: (bytes: Buffer, at: number) => void }> = {
  x86_64: {
    line: /^\s*([0-9a-f]+):\s+rdtscp?\s*$/gm,
    write: (bytes, at) => bytes.writeUInt16LE(0xc031, at), // xor %eax,%eax
  },
  aarch64: {
    line: /^\s*([0-9a-f]+):\s+mrs\s+x\d+, cntvct_el0\s*$/gm,
    write: (bytes, at) => bytes.writeUInt32LE((0xd2800000 | (bytes.readUInt32LE(at) & 0x1f)) >>> 0, at), // mov xN, #0
  },
};

function withoutReads(elf: Elf, objdump: string, ...range: string[]): number {
  const { line, write } = READS[elf.machine === EM_AARCH64 ? 'aarch64' : 'x86_64'];
  const listing = execFileSync(objdump, ['--disassemble', '--no-show-raw-insn', ...range, elf.name], {
    encoding: 'latin1',
    maxBuffer: 1 << 28,
  });
  const found = [...listing.matchAll(line)];
  for (const [, address = ''] of found) write(elf.bytes, fileOffset(elf, Number.parseInt(address, 16)));
  return found.length;
}

/**
 * @param node what is changed, stripped, its name a path
 * @param whole Node as it was published, whose symbols tell where everything is
 */
export function takeClockFromNode(node: Elf, whole: Elf, objdump: string): void {
  let found = 0;
  for (const { name, value, size } of symbols(whole)) {
    if (size === 0 || !READERS.test(name)) continue;
    found += withoutReads(node, objdump, `--start-address=${value}`, `--stop-address=${value + size}`);
  }
  if (found === 0) throw new Error('Node reads no clock where it is expected to');
}

/** The loader counts how long its own work takes, on x86_64. */
export function takeClockFromLoader(loader: Elf, objdump: string): void {
  const found = withoutReads(loader, objdump);
  if (found === 0 && loader.machine !== EM_AARCH64) throw new Error('the loader reads no clock');
}
