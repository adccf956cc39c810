/** --map-exit and --exec-status. */
import t from 'tap';
import { sh } from '../helpers/features.ts';
import { OURS, run } from '../helpers/processes.ts';

t.test('--map-exit maps the status of the command, and no other', async (t) => {
  const status = async (end: string, ...options: string[]) => (await run(OURS, sh(...options, end))).status;
  t.equal(await status('kill -TERM $$', '--map-exit', '143:0'), 0);
  t.equal(await status('exit 3', '--map-exit', '143:0,3:4', '--map-exit=4:5'), 4);
  t.equal(await status('exit 5', '--map-exit', '143:0,3:4'), 5);
});

t.test('--exec-status: 127 for a command that is not found, 126 for one that cannot be executed', async (t) => {
  const end = async (...words: string[]) => (await run(OURS, words)).status;
  t.equal(await end('--exec-status', 'no-such-command'), 127);
  t.equal(await end('--exec-status', '/etc/passwd'), 126);
  t.equal(await end('no-such-command'), 2);
});
