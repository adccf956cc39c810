/** --kill-after. */
import t from 'tap';
import { received, sh } from '../helpers/features.ts';
import { asPid1, OURS, start } from '../helpers/processes.ts';

t.test('--kill-after: a command that outlives TERM is killed', async (t) => {
  const running = start(OURS, sh('--kill-after', '50ms', 'trap "" TERM; echo ready; while :; do sleep 0.01; done'));
  await running.prints('ready');
  running.signal('SIGTERM');
  t.equal((await running.ended).status, 128 + 9);
});

t.test('--kill-after with --wait-all: who escaped to another session and ignores TERM is killed', async (t) => {
  const script = `setsid sh -c 'trap "" TERM; echo ready; while :; do sleep 0.01; done' & read line; exit 7`;
  const running = start(OURS, sh('--wait-all', '--kill-after=50ms', '--log-exit', script), { interactive: true });
  await running.prints('ready');
  running.write('\n');
  const { status, stderr } = await running.ended;
  t.equal(status, 7);
  t.match(stderr, /^\[dumb-init\] Exiting with status 7: .*; time was up and SIGKILL sent\.$/m);
});

t.test('--kill-after as PID 1: nobody of the namespace is left', async (t) => {
  const script = `setsid sh -c 'trap "" TERM; echo ready; while :; do sleep 0.01; done' & read line; exit 7`;
  const options = ['--wait-all', '--kill-after=50ms'];
  const running = asPid1([OURS, ...sh(...options, script)], { interactive: true });
  await running.prints('ready');
  running.write('\n');
  t.equal((await running.ended).status, 7);
});

t.test('--kill-after: a command that obeys TERM ends as ever, and nobody waits for the time', async (t) => {
  t.strictSame(await received(['--kill-after', '2m'], [15]), { status: 0, stderr: '', got: [15] });
});
