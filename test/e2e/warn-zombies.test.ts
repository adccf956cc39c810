/** --warn-zombies, where /proc can't be trusted. */
import t from 'tap';
import { fixture, OURS, run } from '../helpers/processes.ts';

t.test('--warn-zombies in a /proc of another PID namespace names nobody', async (t) => {
  const words = ['--pid', '--fork', '--kill-child', OURS, '--warn-zombies', fixture('orphans'), '2'];
  const { status, stderr } = await run('unshare', words);
  t.equal(status, 0);
  t.match(stderr, /^(\[dumb-init\] Reaped orphan \d+: it exited with status 0\.\n){2}$/);
});
