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

t.test(
  'it is one thread, which waits for every signal that can be taken; those of the C library are blocked',
  async (t) => {
    const { pid, end } = await startIdle();
    t.strictSame(readdirSync(`/proc/${pid}/task`), [String(pid)]);
    // While a thread waits in sigtimedwait, the kernel shows none of the awaited signals as blocked: 32 and 33 are left.
    t.equal(processStatus(pid, 'SigBlk'), '0000000180000000');
    t.equal(processStatus(pid, 'SigCgt'), '0000000000000000', 'no signal has a handler');
    t.equal((await end()).status, 0);
  },
);

t.test('in the command no signal is blocked, ignored or caught', async (t) => {
  const { stdout } = await run(OURS, ['cat', '/proc/self/status']);
  t.match(stdout, /^SigBlk:\t0{16}\nSigIgn:\t0{16}\nSigCgt:\t0{16}$/m);
});

t.test('it has no file open but those that it was given', async (t) => {
  const running = start(fixture('situation'), ['open=7:0:0:/etc/passwd', '--', OURS, fixture('signals'), '1']);
  await running.prints('ready');
  const [command = 0] = childrenOf(running.pid);
  const files = readdirSync(`/proc/${command}/fd`);
  t.ok(files.includes('7'));
  t.strictSame(readdirSync(`/proc/${running.pid}/fd`), files);
  running.signal('SIGTERM');
  t.equal((await running.ended).status, 0);
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
