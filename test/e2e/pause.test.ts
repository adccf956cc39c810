/** --pause. */
import t from 'tap';
import {
  childrenOf,
  fixture,
  isSettled,
  OURS,
  processState,
  readProc,
  start,
  waitUntil,
} from '../helpers/processes.ts';

t.test('--pause: orphans are reaped until TERM or INT, then it ends with status 0', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const running = start(OURS, ['--pause', '--log-exit']);
    await waitUntil(() => isSettled(running.pid), 'the wait for signals');
    running.signal('SIGHUP');
    running.signal(signal);
    const { status, stderr } = await running.ended;
    t.equal(status, 0);
    t.match(stderr, `[dumb-init] Exiting with status 0: pausing is over; the last signal was signal`);
  }
});

t.test('--pause reaps: started by a shell that becomes it, it takes over the children', async (t) => {
  const running = start('sh', ['-c', `${fixture('signals')} 1 & exec ${OURS} --pause`]);
  await running.prints('ready');
  await waitUntil(() => readProc(`${running.pid}/comm`) === 'dumb-init\n', 'dumb-init');
  const [child = 0] = childrenOf(running.pid);
  process.kill(child, 'SIGTERM');
  await waitUntil(() => processState(child) === '', 'the child to be reaped');
  running.signal('SIGTERM');
  t.equal((await running.ended).status, 0);
});
