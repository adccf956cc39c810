import { linkSync, mkdtempSync, rmSync } from 'node:fs';
import t from 'tap';
import { runContainer } from '../helpers/container.ts';
import { OURS, run } from '../helpers/processes.ts';

t.test('without /proc: one line with the cause, and status 1', async (t) => {
  const root = mkdtempSync('build/test/root-');
  t.teardown(() => rmSync(root, { recursive: true }));
  linkSync(OURS, `${root}/dumb-init`);
  t.strictSame(await run('chroot', [root, '/dumb-init', '/dumb-init', '--version']), {
    status: 1,
    stdout: '',
    stderr: '[dumb-init] /proc is needed and not mounted (errno=2). Exiting.\n',
  });
});

t.test('too few processes allowed for the threads of Node: one line with the cause, and status 1', async (t) => {
  const result = await runContainer({
    args: ['/dumb-init', '/busybox', 'true'],
    // Root has no such limit, and it counts all of a user's processes: one of whom there are no others.
    user: 61_000 + (process.pid % 1000),
    configure: (config) => {
      config.process['rlimits'] = [{ type: 'RLIMIT_NPROC', soft: 1, hard: 1 }];
    },
  });
  t.strictSame(result, {
    status: 1,
    stdout: '',
    stderr: '[dumb-init] Unable to create a thread: processes are limited. Exiting.\n',
  });
});
