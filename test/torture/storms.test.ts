import { readdirSync } from 'node:fs';
import t from 'tap';
import {
  asPid1,
  childrenOf,
  fixture,
  isSettled,
  OURS,
  processState,
  processStatus,
  run,
  statusKib,
  waitUntil,
} from '../helpers/processes.ts';
import { figure, times } from '../helpers/torture.ts';

const limitMs = times(60, 10) * 60_000;

/** PID 1 of a namespace of its own, with a command that prints `ready`. */
async function startPid1(...words: string[]) {
  const running = asPid1([OURS, ...words], { limitMs });
  await waitUntil(() => running.stdout().includes('ready\n'), 'the command to be ready', limitMs);
  const [pid1 = 0] = childrenOf(running.pid);
  return {
    ...running,
    pid1,
    signal: (n: number | NodeJS.Signals) => process.kill(pid1, n),
    readyAgain: (nth: number) =>
      waitUntil(() => running.stdout().split('ready\n').length > nth, `ready number ${nth}`, limitMs),
    /** It waits for the next signal, and none is pending. */
    settled: () => waitUntil(() => isSettled(pid1), 'PID 1 to have dealt with everything', limitMs),
    rssKib: () => statusKib(pid1, 'VmRSS'),
    openFds: () => readdirSync(`/proc/${pid1}/fd`).length,
  };
}

const flood = async (pid: number, n: number, count: number) =>
  (await run(fixture('flood'), [pid, n, count].map(String), { limitMs })).status;

t.test('orphans that die together leave no zombie, no memory and no open fd', async (t) => {
  const [each, warmUp, rounds] = [times(1000, 100), times(20, 10), times(80, 10)];
  const orphans = (count: number) => `${fixture('orphans')} ${each} ${count} && ${fixture('signals')} 1 quiet`;
  const { pid1, rssKib, openFds, settled, signal, readyAgain, ended } = await startPid1(
    ...['sh', '-c', `${orphans(warmUp)} && ${orphans(rounds)}`],
  );
  await settled();
  const before = { rss: rssKib(), fds: openFds() };
  signal('SIGWINCH'); // which sh ignores
  await readyAgain(2);
  await settled();
  const growth = rssKib() - before.rss;
  figure('Storms', `${each * (warmUp + rounds)} orphans, ${each} at once: no zombie; RSS grew by ${growth} KiB`);
  t.equal(childrenOf(pid1).length, 1, 'only the command is left');
  t.ok(growth < 2048, `grew by ${growth} KiB`);
  t.equal(openFds(), before.fds);
  signal('SIGWINCH');
  const { status, stdout } = await ended;
  t.strictSame({ status, stdout }, { status: 0, stdout: 'reaped\nready\nreaped\nready\n' });
});

t.test('real-time signals queued while PID 1 is stopped all arrive', async (t) => {
  const [each, rounds] = [times(50_000, 5_000), times(2, 1)];
  // One CONT a round is forwarded too.
  const running = await startPid1(fixture('signals'), String((each + 1) * rounds), 'quiet');
  for (let round = 0; round < rounds; round++) {
    running.signal('SIGSTOP'); // from outside its namespace it works
    await waitUntil(() => processState(running.pid1) === 'T', 'PID 1 to stop');
    t.equal(await flood(running.pid1, 40, each), 0);
    const queued = Number(processStatus(running.pid1, 'SigQ').split('/')[0]);
    t.ok(queued >= each, `${queued} queued`);
    running.signal('SIGCONT');
    if (round < rounds - 1) await running.settled();
  }
  t.equal((await running.ended).status, 0, 'the command has counted them');
  figure('Storms', `${each * rounds} real-time signals, ${each} queued at once: none lost`);
});

t.test('every signal arrives while orphans die by the hundred', async (t) => {
  const each = times(500, 50);
  const keep = [20, 21, 22].flatMap((n) => ['-r', `${n}:${n}`]); // instead of STOP
  const command = `setsid ${fixture('orphans')} 200 ${times(200, 10)} >/dev/null & exec ${fixture('signals')} 999999`;
  const running = await startPid1(...keep, 'sh', '-c', command);
  const [child = 0] = childrenOf(running.pid1);
  const realTime = Array.from({ length: 31 }, (_, i) => 34 + i);
  const standard = Array.from({ length: 31 }, (_, i) => 1 + i).filter((n) => ![9, 17, 19].includes(n));
  for (const n of realTime) t.equal(await flood(running.pid1, n, each), 0);
  // A standard signal that is pending already is not queued again, and CONT and the stops cancel each other.
  for (const n of standard) {
    running.signal(n);
    await running.prints(new RegExp(`^${n}$`, 'm'));
  }
  await waitUntil(() => childrenOf(running.pid1).length === 1, 'the orphans to be reaped', limitMs);
  await running.settled();
  const arrived = () => running.stdout().split('\n').slice(1, -1).map(Number);
  const expected = realTime.length * each + standard.length;
  await waitUntil(
    () => arrived().length >= expected,
    () => `${expected} signals: ${arrived().length}`,
  );
  for (const n of realTime) t.equal(arrived().filter((got) => got === n).length, each, `signal ${n}`);
  figure('Storms', `${each} each of the 31 real-time signals and every standard one, amid dying orphans: none lost`);
  process.kill(child, 'SIGKILL');
  t.equal((await running.ended).status, 128 + 9);
});

t.test('TERM reaches every process of a crowded group', async (t) => {
  const count = times(10_000, 500);
  const running = await startPid1(fixture('crowd'), String(count));
  running.signal('SIGTERM');
  const { status, stdout } = await running.ended;
  t.strictSame({ status, stdout }, { status: 0, stdout: `ready\n${count}\n` });
  figure('Storms', `a group of ${count} processes: TERM reached every one`);
});
