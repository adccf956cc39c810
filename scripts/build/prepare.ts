/**
 * Prepares a stripped Node for the freeze, in place. Every place is found by the symbols of the Node that was
 * published, for either architecture; what isn't where it is expected ends the build.
 *
 *   prepare.ts OBJDUMP PUBLISHED-NODE NODE
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { takeClockFromNode } from './clock.ts';
import { EM_AARCH64, type Elf, fileOffset, parseElf, symbols } from './elf.ts';

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

const [objdump, wholePath, path] = process.argv.slice(2) as [string, string, string];
const whole = parseElf(readFileSync(wholePath), wholePath);
const node = parseElf(readFileSync(path), path);
disableDeadlockDetection(node, whole);
haveNoWorkers(node, whole);
takeClockFromNode(node, whole, objdump);
writeFileSync(path, node.bytes);
