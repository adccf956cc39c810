/** --delay, and what its timers cost. */
import t from 'tap';
import { received, startSignals } from '../helpers/features.ts';
import { processState, processStatus, run, waitUntil } from '../helpers/processes.ts';

t.test('--delay: the signal comes later than one that was sent after it', async (t) => {
  const options = ['--delay', 'TERM=300ms', '-v'];
  const running = await startSignals(2, ...options);
  running.signal('SIGTERM');
  await waitUntil(() => running.stderr().includes('Holding back signal 15 for 300 ms.'), 'the delay');
  running.signal('SIGHUP');
  const { stdout, status } = await running.ended;
  t.equal(stdout, 'ready\n1\n15\n');
  t.equal(status, 0);
});

t.test('--delay and --rewrite: the signal is held back by the name that it came by', async (t) => {
  t.strictSame((await received(['--delay', 'TERM=1ms,INT=1ms', '-r', 'TERM:QUIT'], [15, 2])).got, [3, 2]);
});

t.test('a timer costs no wake-up: while it runs, and nothing happens, the process does not run', async (t) => {
  const running = await startSignals(2, '--delay', 'TERM=2m', '-v');
  running.signal('SIGTERM');
  await waitUntil(() => running.stderr().includes('Holding back'), 'the delay');
  const switches = () => processStatus(`${running.pid}/task/${running.pid}`, 'voluntary_ctxt_switches');
  await waitUntil(() => processState(running.pid) === 'S', 'it to wait');
  const before = switches();
  const other = await run('sleep', ['0.3']); // longer than any tick would be
  t.equal(other.status, 0);
  t.equal(switches(), before);
  running.signal('SIGHUP');
  running.signal('SIGINT');
  t.equal((await running.ended).status, 0);
});
