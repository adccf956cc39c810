import t from 'tap';
import { concurrently } from '../helpers/concurrently.ts';
import {
  asPid1,
  childrenOf,
  fixture,
  isPending,
  OURS,
  processState,
  processStatus,
  type Running,
  readProc,
  run,
  start,
  waitUntil,
} from '../helpers/processes.ts';
import { seeded } from '../helpers/random.ts';
import { figure, times, traced } from '../helpers/torture.ts';

const child = ({ pid }: Running) => childrenOf(pid)[0] ?? 0;
const waitsForSignals = (pid: number) => waitUntil(() => processState(pid) === 'S', `${pid} to wait for signals`);

/** Signals until the process is gone, `pause` apart at most. */
async function bombard(running: Running, signals: readonly number[], seed: number): Promise<void> {
  const random = seeded(seed);
  let over = false;
  running.ended.finally(() => {
    over = true;
  });
  for (let sent = 0; !over; sent++) {
    try {
      running.signal(random.pick(signals));
    } catch {
      return; // it has ended
    }
    if (sent % 8 === 0) await new Promise(setImmediate);
  }
}

t.test('signals that arrive while the command dies change nothing about the status', async (t) => {
  const rounds = times(200, 10);
  const seeds = Array.from({ length: rounds }, (_, i) => i + 1);
  const statuses = await concurrently(seeds, async (seed) => {
    // A standard signal each: the command takes 20 of them, and ends with status 0.
    const running = start(OURS, [fixture('signals'), '20', 'quiet']);
    await running.prints('ready');
    await bombard(running, [1, 2, 3, 10, 12, 14, 15, 18, 34, 64], seed);
    return (await running.ended).status;
  });
  t.strictSame([...new Set(statuses)], [0]);
  figure('Races', `${rounds} commands that died under a hail of signals: every status right`);
});

t.test('a command that is killed before its exec gives 137', async (t) => {
  const strace = ['-f', '-o', '/dev/null', '--trace=setsid', '--inject=setsid:signal=KILL'];
  const { status } = await run('strace', [...strace, OURS, 'true']);
  t.equal(status, 128 + 9);
});

t.test('a command that is killed while all are suspended: the status comes with the wake-up', async (t) => {
  const running = start(OURS, [fixture('signals'), '9', 'quiet']);
  await running.prints('ready');
  const pid = child(running);
  running.signal('SIGTSTP');
  await waitUntil(() => processState(running.pid) === 'T' && processState(pid) === 'T', 'both to stop');
  process.kill(pid, 'SIGKILL');
  await waitUntil(() => processState(pid) === 'Z', 'the command to die');
  t.equal(processState(running.pid), 'T', 'dumb-init is stopped still');
  running.signal('SIGCONT');
  t.equal((await running.ended).status, 128 + 9);
});

t.test('a CONT that comes when the TSTP has been taken, but before the stop, is not lost', async (t) => {
  // strace holds dumb-init back with the TSTP in its hands.
  const strace = ['-o', '/dev/null', '--trace=rt_sigtimedwait', '--inject=rt_sigtimedwait:delay_exit=300000'];
  const tracer = start('strace', [...strace, OURS, '-r', '20:0', fixture('signals'), '2']);
  await tracer.prints('ready');
  const init = child(tracer);
  process.kill(init, 'SIGTSTP');
  await waitUntil(() => !isPending(init, 20), 'the TSTP to be taken');
  process.kill(init, 'SIGCONT');
  await tracer.prints('18\n');
  process.kill(init, 'SIGTERM');
  t.equal((await tracer.ended).status, 0);
});

t.test('PID 1 loses no CONT, however close it follows a TSTP', async (t) => {
  const count = times(5_000, 100);
  const words = [OURS, '-r', '20:0', fixture('signals'), String(count)];
  const namespace = asPid1(words);
  await namespace.prints('ready');
  const pid1 = child(namespace);
  for (let i = 0; i < count; i++) {
    process.kill(pid1, 'SIGTSTP');
    await waitUntil(() => !isPending(pid1, 20), 'the TSTP to be taken');
    process.kill(pid1, 'SIGCONT');
    await waitUntil(() => namespace.stdout().length >= 'ready\n'.length + 3 * (i + 1), `CONT number ${i + 1}`);
  }
  t.equal((await namespace.ended).stdout, `ready\n${'18\n'.repeat(count)}`);
  figure('Races', `${count} times CONT right behind TSTP to PID 1: none lost`);
});

t.test('the last TERM goes out while the PID of the dead command is still taken: no stranger can get it', async (t) => {
  for (const options of [[], ['-c']]) {
    const { status, log } = await traced(['--trace=kill,wait4'], [OURS, ...options, 'sh', '-c', 'exit 7']);
    t.equal(status, 7);
    const calls = log.split('\n');
    const killed = calls.findIndex((line) => /^kill\(-\d+, SIGTERM\)/.test(line));
    const reaped = calls.findIndex((line) => /^wait4\(\d+, .*= \d+$/.test(line));
    t.ok(reaped >= 0, 'the command is reaped by us');
    if (options.length === 0) t.ok(killed >= 0 && killed < reaped, `kill, then wait4:\n${log}`);
    else t.equal(killed, -1, 'with -c there is no one to get it');
  }
});

t.test('chained, each init passes the signals on and the status back', async (t) => {
  for (const chain of [
    [OURS, OURS],
    [OURS, '-c', OURS, '-c', OURS],
    ['-r', '15:3', OURS, '-r', '3:2', OURS],
  ]) {
    const words = chain[0] === OURS ? chain.slice(1) : chain;
    const running = start(OURS, [...words, fixture('signals'), '1']);
    await running.prints('ready');
    running.signal('SIGTERM');
    const { status, stdout } = await running.ended;
    t.strictSame({ status, stdout }, { status: 0, stdout: `ready\n${words[0] === '-r' ? 2 : 15}\n` });
  }
});

t.test('when its parent dies dumb-init goes on, and gets no signal from that', async (t) => {
  const parent = start('sh', ['-c', `${OURS} ${fixture('signals')} 1 & wait`]);
  await parent.prints('ready');
  const [init = 0] = childrenOf(parent.pid);
  parent.signal('SIGKILL');
  await waitUntil(() => processStatus(init, 'PPid') !== String(parent.pid), 'it to have another parent');
  await waitsForSignals(init);
  t.equal(readProc(`${init}/comm`), 'dumb-init\n');
  process.kill(init, 'SIGTERM');
  const { stdout } = await parent.ended; // when all that write to its standard output have ended
  t.equal(stdout, 'ready\n15\n');
});

t.test('deaths that one SIGCHLD tells of are all reaped', async (t) => {
  // Stopped, dumb-init gets one SIGCHLD for all of them.
  const count = 100;
  const script = `i=0; while [ $i -lt ${count} ]; do (sleep 0.0 &) ; i=$((i+1)); done; echo left; exec ${fixture('signals')} 2 quiet`;
  const namespace = asPid1([OURS, 'sh', '-c', script]);
  await waitUntil(() => childrenOf(namespace.pid).length > 0, 'PID 1');
  const [pid1 = 0] = childrenOf(namespace.pid);
  await waitUntil(() => childrenOf(pid1).length > 0, 'the command');
  process.kill(pid1, 'SIGSTOP');
  await namespace.prints('ready');
  const zombies = () => childrenOf(pid1).filter((pid) => processState(pid) === 'Z');
  await waitUntil(() => childrenOf(pid1).length - zombies().length === 1, 'all but the command to have died');
  t.ok(zombies().length > 0, `${zombies().length} zombies while it is stopped`);
  process.kill(pid1, 'SIGCONT');
  await waitUntil(() => childrenOf(pid1).length === 1, 'only the command to be left');
  process.kill(pid1, 'SIGTERM');
  t.equal((await namespace.ended).status, 0);
});
