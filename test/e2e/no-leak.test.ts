import t from 'tap';
import {
  AS_PID_1,
  childrenOf,
  fixture,
  isSettled,
  OURS,
  run,
  start,
  statusKib,
  waitUntil,
} from '../helpers/processes.ts';

const SIGRTMIN = 34;
const KIB_PER_MIB = 1024;

t.test('from the 100,000th to the 1,000,000th event PID 1 grows by less than 1 MiB, and loses none', async (t) => {
  const total = 1_000_000;
  const limitMs = 10 * 60_000;
  // A full queue makes kill(2) merge real-time signals, at any init. So the sender is held back
  // (its target's limit counts) well before the queue of the command is full.
  const namespace = start(
    'prlimit',
    [
      ...['--sigpending=20000:', ...AS_PID_1],
      ...[OURS, 'prlimit', '--sigpending=60000:', fixture('signals'), String(total), 'quiet'],
    ],
    { limitMs },
  );
  await namespace.prints('ready');
  const [pid1 = 0] = childrenOf(namespace.pid);
  const send = async (count: number) => {
    t.equal((await run(fixture('flood'), [String(pid1), String(SIGRTMIN), String(count)], { limitMs })).status, 0);
  };
  const residentKib = () => statusKib(pid1, 'VmRSS');

  // Once, a second after the start, memory is given back. What is used again is back after some events, which
  // take longer than that.
  await send(100_000);
  await waitUntil(() => isSettled(pid1), 'the first events to be dealt with', limitMs);
  const before = residentKib();
  await send(total - 100_000 - 1);
  await waitUntil(() => isSettled(pid1), 'the rest of the events to be dealt with', limitMs);
  const growth = residentKib() - before;
  t.comment(`grew by ${growth} KiB from ${before} KiB`);
  t.ok(growth < KIB_PER_MIB, `grew by ${growth} KiB`);
  await send(1); // the last: the command ends
  t.equal((await namespace.ended).status, 0);
});
