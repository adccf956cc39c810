/** --pause. */
import t from 'tap';
import {
  asPid1,
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

t.test('--pause with --wait-all: everybody is told to stop, and has the time to tidy', async (t) => {
  const tidying = `trap '/bin/sleep 0.2 && echo tidied; exit' TERM; echo ready; while :; do sleep 0.01; done`;
  const running = asPid1(['sh', '-c', `setsid sh -c "${tidying}" & exec ${OURS} --pause --wait-all`]);
  await running.prints('ready');
  const init = firstChild(running.pid);
  await waitUntil(() => readProc(`${init}/comm`) === 'dumb-init\n', 'dumb-init');
  process.kill(init, 'SIGTERM');
  const { status, stdout } = await running.ended;
  t.strictSame({ status, stdout }, { status: 0, stdout: 'ready\ntidied\n' });
});

t.test('--pause with --kill-after: who does not obey is killed when the time is up', async (t) => {
  const deaf = 'trap \\"\\" TERM; echo ready; while :; do sleep 0.01; done';
  const running = asPid1(['sh', '-c', `setsid sh -c "${deaf}" & exec ${OURS} --pause --kill-after 50ms --log-exit`]);
  await running.prints('ready');
  const init = firstChild(running.pid);
  await waitUntil(() => readProc(`${init}/comm`) === 'dumb-init\n', 'dumb-init');
  process.kill(init, 'SIGTERM');
  const { status, stderr } = await running.ended;
  t.equal(status, 0);
  t.match(stderr, 'time was up and SIGKILL sent');
});

t.test(
  '--pause with --rewrite and --delay: another signal stops it, and a TERM that is dropped does not',
  async (t) => {
    const running = start(OURS, ['--pause', '--rewrite', 'QUIT:TERM,TERM:0', '--delay', 'QUIT=1ms', '--log-exit']);
    await waitUntil(() => isSettled(running.pid), 'the wait for signals');
    running.signal('SIGTERM');
    await waitUntil(() => isSettled(running.pid), 'the TERM to be taken');
    running.signal('SIGQUIT');
    const { status, stderr } = await running.ended;
    t.equal(status, 0);
    t.match(stderr, 'the last signal was signal 3 (SIGQUIT)');
  },
);
