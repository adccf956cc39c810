/** The dead from before dumb-init began, of whose end no signal is left. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import {
  childrenOf,
  firstChild,
  fixture,
  isSettled,
  OURS,
  processState,
  readProc,
  start,
  waitUntil,
} from '../helpers/processes.ts';

const folder = mkdtempSync(resolve('build/test/inherited-'));
t.teardown(() => rmSync(folder, { recursive: true }));

for (const name of ['dumb-init', 'tini', 'catatonit']) {
  t.test(`${name}: a child that was dead before it began is reaped at once`, async (t) => {
    const init = join(folder, name);
    symlinkSync(OURS, init);
    // The shell's child is a zombie when the shell becomes the init: the shell doesn't wait for it.
    const script = `(exit 3) & read line; exec ${init} ${fixture('signals')} 1`;
    const running = start('sh', ['-c', script], { interactive: true });
    await waitUntil(() => childrenOf(running.pid).some((pid) => processState(pid) === 'Z'), 'the zombie');
    const zombie = firstChild(running.pid);
    running.write('\n');
    await running.prints('ready');
    await waitUntil(() => isSettled(running.pid), 'the init to wait');
    t.equal(readProc(`${running.pid}/comm`).trim(), name);
    t.equal(processState(zombie), '');
    running.signal('SIGTERM');
    t.equal((await running.ended).status, 0);
  });
}
