import { linkSync, mkdtempSync, rmSync } from 'node:fs';
import t from 'tap';
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
