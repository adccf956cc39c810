/** --wait-all. */
import t from 'tap';
import { sh } from '../helpers/features.ts';
import {
  asPid1,
  childrenOf,
  firstChild,
  fixture,
  isPending,
  isSettled,
  OURS,
  processState,
  start,
  waitUntil,
} from '../helpers/processes.ts';

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

/** As an ordinary process, and as PID 1. */
const WAYS: [how: string, begin: typeof asPid1][] = [
  ['', (words, options) => start(words[0] ?? '', words.slice(1), options)],
  [' as PID 1', asPid1],
];

for (const [how, begin] of WAYS) {
  t.test(`--wait-all${how}: a worker that got the forwarded TERM gets none at the end of the command`, async (t) => {
    // The worker reads until it is told by a line, whatever signals it gets meanwhile.
    const worker = `trap 'echo told' TERM; echo ready; until read line <&3; do :; done; echo done`;
    const script = `exec 3<&0; (${worker}) & trap 'exit 7' TERM; while :; do wait; done`;
    const running = begin([OURS, ...sh('-v', '--wait-all', script)], { interactive: true });
    await running.prints('ready');
    const init = how ? () => firstChild(running.pid) : () => running.pid;
    process.kill(init(), 'SIGTERM');
    await waitUntil(() => running.stderr().includes('Waiting for all that is left.'), running.stderr);
    await waitUntil(() => isSettled(init()), 'the init to wait');
    running.write('\n');
    const { status, stdout } = await running.ended;
    t.strictSame({ status, stdout }, { status: 7, stdout: 'ready\ntold\ndone\n' });
  });

  t.test(`--wait-all${how}: what a process starts when it is told to stop may end by itself`, async (t) => {
    const tidying = `trap '/bin/sleep 0.4 && echo tidied; exit' TERM; echo ready; until read line <&3; do :; done`;
    const script = `exec 3<&0; setsid sh -c "${tidying}" & read line <&3; exit 7`;
    const running = begin([OURS, ...sh('--wait-all', script)], { interactive: true });
    await running.prints('ready');
    const [init = 0] = how ? childrenOf(running.pid) : [running.pid];
    process.kill(firstChild(init, 'sh'), 'SIGKILL');
    const { stdout } = await running.ended;
    t.equal(stdout, 'ready\ntidied\n');
  });

  t.test(`--wait-all${how}: a stopped process is told to stop, and goes on for it`, async (t) => {
    const stopped = `trap 'echo told; exit' TERM; echo ready; kill -STOP $$; while :; do read line <&3; done`;
    const script = `exec 3<&0; setsid sh -c "${stopped.replaceAll('$', '\\$')}" & read line; exit 7`;
    const running = begin([OURS, ...sh('--wait-all', script)], { interactive: true });
    await running.prints('ready');
    const [init = 0] = how ? childrenOf(running.pid) : [running.pid];
    const worker = () => childrenOf(firstChild(init)).find((pid) => processState(pid) === 'T');
    await waitUntil(() => worker() !== undefined, 'the worker to stop');
    running.write('\n');
    const { status, stdout } = await running.ended;
    t.strictSame({ status, stdout }, { status: 7, stdout: 'ready\ntold\n' });
  });
}

t.test('without --wait-all a TERM leaves a stopped process stopped, as in 1.2.5', async (t) => {
  const running = start(OURS, [fixture('signals'), '3']); // TERM, CONT, INT
  await running.prints('ready');
  const child = firstChild(running.pid);
  process.kill(child, 'SIGSTOP');
  await waitUntil(() => processState(child) === 'T', 'the command to stop');
  running.signal('SIGTERM');
  await waitUntil(() => isSettled(running.pid) && isPending(child, 15), 'the TERM to be forwarded');
  t.equal(processState(child), 'T');
  process.kill(child, 'SIGCONT');
  await running.prints('15');
  running.signal('SIGINT');
  t.equal((await running.ended).status, 0);
});
