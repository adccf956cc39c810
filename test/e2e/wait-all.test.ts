/** --wait-all. */
import t from 'tap';
import { sh } from '../helpers/features.ts';
import { childrenOf, fixture, OURS, processState, start, waitUntil } from '../helpers/processes.ts';

t.test('--wait-all: TERM to who is left, other sessions included, and the status is that of the command', async (t) => {
  const script = `setsid sh -c 'trap "echo told; exit" TERM; echo ready; while :; do sleep 0.01; done' & read line; exit 7`;
  const running = start(OURS, sh('--wait-all', script), { interactive: true });
  await running.prints('ready');
  running.write('\n');
  const { status, stdout } = await running.ended;
  t.equal(stdout, 'ready\ntold\n');
  t.equal(status, 7);
});

t.test('--wait-all: it does not exit while a descendant is there, and signals go to it', async (t) => {
  const script = `setsid ${fixture('signals')} 2 & read line; exit 7`;
  const running = start(OURS, sh('--wait-all', script), { interactive: true });
  await running.prints('ready');
  const [shell = 0] = childrenOf(running.pid);
  running.write('\n');
  await running.prints('\n15\n');
  await waitUntil(() => processState(shell) === '', 'the command to be reaped');
  running.signal('SIGHUP');
  t.strictSame(await running.ended, { status: 7, stdout: 'ready\n15\n1\n', stderr: '' });
});

t.test('without --wait-all it exits with the command', async (t) => {
  const running = start(OURS, sh(`setsid ${fixture('signals')} 1 & read line; exit 7`), { interactive: true });
  await running.prints('ready');
  const [shell = 0] = childrenOf(running.pid);
  const [escaped = 0] = childrenOf(shell);
  running.write('\n');
  await waitUntil(() => /^Z?$/.test(processState(running.pid)), 'the end');
  t.equal(processState(escaped), 'S');
  process.kill(escaped, 'SIGKILL');
  t.equal((await running.ended).status, 7);
});
