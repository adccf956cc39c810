/**
 * Prepares a stripped Node for the freeze, in place. Every place is found by the symbols of the Node that was
 * published, for either architecture; what isn't where it is expected ends the build.
 *
 *   prepare.ts OBJDUMP PUBLISHED-NODE NODE
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { takeClockFromNode } from './clock.ts';
import { type Elf, EM_AARCH64, fileOffset, parseElf, symbols } from './elf.ts';

function placeOf(node: Elf, whole: Elf, name: RegExp): number {
  const found = symbols(whole).filter((symbol) => name.test(symbol.name));
  if (found.length !== 1 || !found[0]) throw new Error(`Node has ${found.length} symbols ${name}`);
  return fileOffset(node, found[0].value);
}

/**
 * Abseil's deadlock detection: in the build that is published it is on, and on its first lock it
 * fills 1 MB for a graph of all locks. The variable is an atomic enum OnDeadlockCycle
 * (absl/synchronization/mutex.h): 2 is kAbort, 0 kIgnore.
 */
function disableDeadlockDetection(node: Elf, whole: Elf): void {
  const at = placeOf(node, whole, /^_ZN4absl12_GLOBAL__N_124synch_deadlock_detectionE/);
  if (node.bytes.readUInt32LE(at) !== 2) throw new Error('synch_deadlock_detection is not kAbort');
  node.bytes.writeUInt32LE(0, at);
}

/**
 * V8 hands work to other threads even with --single-threaded, if the platform says that there are some. After
 * the freeze there are none: NodePlatform::NumberOfWorkerThreads() says so.
 */
function haveNoWorkers(node: Elf, whole: Elf): void {
  const at = placeOf(node, whole, /^_ZN4node12NodePlatform21NumberOfWorkerThreadsEv$/);
  // xor %eax,%eax; ret -> mov w0, #0; ret
  node.bytes.write(node.machine === EM_AARCH64 ? '00008052c0035fd6' : '31c0c3', at, 'hex');
}

/** Machine code, by the builtin that it stands in: on x86_64 and aarch64. */
interface Stores {
  builtin: string;
  x86_64: readonly string[];
  aarch64: readonly string[];
}

/**
 * V8 counts, for its compilers and to forget bytecode that is old, how often each function is called and how much
 * of it has run: into the function's own data, all over the heap. There are no compilers here (--jitless), and
 * nothing is forgotten (--no-flush-bytecode). Without these stores a call writes to no page that the containers
 * of a host could share.
 */
const COUNTS: readonly Stores[] = [
  {
    builtin: 'Builtins_InterpreterEntryTrampoline',
    // the age of the code; the urgency to replace it while it runs; how often it was called
    x86_64: ['6641c743430000', '44885314', 'ff430b'], // movw $0,0x43(%r11); mov %r10b,0x14(%rbx); incl 0xb(%rbx)
    aarch64: ['bf300478', '47500039', '4ab000b8'], // sturh wzr,[x5,#67]; strb w7,[x2,#20]; stur w10,[x2,#11]
  },
  {
    builtin: 'Builtins_ReturnHandler',
    // what is left of a function's budget before a compiler is asked
    x86_64: ['44895f13'], // mov %r11d,0x13(%rdi)
    aarch64: ['a33001b8'], // stur w3,[x5,#19]
  },
];
/** No operation, in as many bytes. */
const NOPS: Record<number, string> = { 3: '0f1f00', 4: '0f1f4000', 7: '0f1f8000000000' };
const AARCH64_NOP = '1f2003d5';

function countNothing(node: Elf, whole: Elf): void {
  const aarch64 = node.machine === EM_AARCH64;
  for (const { builtin, ...stores } of COUNTS) {
    const symbol = symbols(whole).find(({ name }) => name === builtin);
    if (!symbol) throw new Error(`Node has no ${builtin}`);
    const start = fileOffset(node, symbol.value);
    const code = node.bytes.subarray(start, start + symbol.size);
    for (const store of aarch64 ? stores.aarch64 : stores.x86_64) {
      const at = code.indexOf(store, 0, 'hex');
      if (at < 0 || code.indexOf(store, at + 1, 'hex') >= 0) throw new Error(`${builtin} does not hold ${store} once`);
      code.write(aarch64 ? AARCH64_NOP : (NOPS[store.length / 2] ?? ''), at, 'hex');
    }
  }
}

const [objdump, wholePath, path] = process.argv.slice(2) as [string, string, string];
const whole = parseElf(readFileSync(wholePath), wholePath);
const node = parseElf(readFileSync(path), path);
disableDeadlockDetection(node, whole);
haveNoWorkers(node, whole);
countNothing(node, whole);
takeClockFromNode(node, whole, objdump);
writeFileSync(path, node.bytes);
