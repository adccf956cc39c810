/**
 * The entry, which runs once, when the executable is built: it boots, is rehearsed and frozen. What a
 * container runs is `run`, in a process that was thawed from that.
 */
import { writeFileSync } from 'node:fs';
import { freeAllocated, keepAllocated } from './libc/ffi.ts';
import { frozenAt, readRecord } from './libc/record.ts';
import { rehearse } from './rehearsal/rehearse.ts';
import { run } from './run.ts';

/** The addon that freezes (src/image/stage/freeze.c): `freeze` ends this process, and calls `wake` in each thawed one. */
const stage = { exports: {} as { freeze(wake: () => never, life: () => void): never; frozen: number } };
process.dlopen(stage, '/stage.so');
frozenAt(stage.exports.frozen);

/** What a container runs. */
function wake(): never {
  readRecord();
  return run();
}

keepAllocated();
const life = rehearse(wake);
freeAllocated();
// For the packer: the sources of all other modules are of no use any more.
const { moduleLoadList } = process as unknown as { moduleLoadList: readonly string[] };
writeFileSync('modules', moduleLoadList.join('\n'));
stage.exports.freeze(wake, life);
