import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import t from 'tap';
import {
  childrenOf,
  fixture,
  OURS,
  processState,
  processStatus,
  readProc,
  run,
  start,
  waitUntil,
} from '../helpers/processes.ts';

/** Ours with a child that waits, until `end` is called. */
async function startIdle(cwd?: string) {
  const running = start(OURS, [fixture('signals'), '1'], cwd === undefined ? {} : { cwd });
  await running.prints('ready');
  const [child = 0] = childrenOf(running.pid);
  await waitUntil(() => processState(running.pid) === 'S', 'dumb-init to wait for signals');
  const end = () => {
    running.signal('SIGTERM');
    return running.ended;
  };
  return { pid: running.pid, child, end };
}

const elf = (what: string) => execFileSync('readelf', ['--wide', what, OURS], { encoding: 'utf8' });

t.test('the executable names no interpreter and needs no library', async (t) => {
  t.notMatch(elf('--program-headers'), /INTERP|interpreter/);
  t.notMatch(elf('--dynamic'), /NEEDED/);
});

t.test('no segment is writable and executable, and the stack is not executable', async (t) => {
  t.notMatch(elf('--program-headers'), /RWE/);
  t.match(elf('--program-headers'), /GNU_STACK.* RW /);
});

t.test('it is one process, named dumb-init, in /, while the command keeps the working directory', async (t) => {
  const folder = realpathSync(mkdtempSync('build/test/cwd-'));
  const { pid, child, end } = await startIdle(folder);
  t.equal(readProc(`${pid}/comm`), 'dumb-init\n');
  t.equal(readProc(`${pid}/cmdline`), `${OURS}\0${fixture('signals')}\x001\0`);
  t.strictSame(childrenOf(pid), [child]);
  t.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
  t.equal(readlinkSync(`/proc/${child}/cwd`), folder);
  t.equal((await end()).status, 0);
  rmSync(folder, { recursive: true });
});

t.test('every thread has every signal blocked that can be, but those of the C library', async (t) => {
  const { pid, end } = await startIdle();
  const bit = (n: number) => 1n << BigInt(n - 1);
  const expected = (1n << 64n) - 1n - [9, 19, 32, 33].reduce((sum, n) => sum + bit(n), 0n);
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const blocked = BigInt(`0x${processStatus(`${pid}/task/${thread}`, 'SigBlk')}`);
    // While a thread waits in sigwaitinfo, the kernel shows none of the awaited signals as blocked.
    t.equal(blocked, Number(thread) === pid ? 0n : expected, `thread ${thread}`);
  }
  t.equal((await end()).status, 0);
});

t.test('the memfds of the start are closed when the command runs', async (t) => {
  const { pid, end } = await startIdle();
  const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  t.notMatch(targets.join('\n'), /memfd/);
  t.equal((await end()).status, 0);
});

t.test('the soft limit of open files is the one that the caller has', async (t) => {
  const script = `ulimit -Sn 100; exec ${OURS} sh -c 'ulimit -Sn; ulimit -Hn'`;
  const { stdout } = await run('sh', ['-c', script]);
  t.equal(stdout, `100\n${execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' })}`);
});

t.test('it listens nowhere, and SIGUSR1 goes to the command instead of opening a debugger', async (t) => {
  const running = start(OURS, [fixture('signals'), '2']);
  await running.prints('ready');
  running.signal('SIGUSR1');
  await running.prints('10\n');
  // stdin, stdout and stderr are the test's own sockets.
  const own = readdirSync(`/proc/${running.pid}/fd`).filter((fd) => Number(fd) > 2);
  for (const fd of own) t.notMatch(readlinkSync(`/proc/${running.pid}/fd/${fd}`), /socket/);
  running.signal('SIGTERM');
  t.equal((await running.ended).status, 0);
});
