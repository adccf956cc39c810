/** What is too little, and what is just enough: it works, or ends in one line and status 1, or the kernel refuses it. */
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { concurrently } from '../helpers/concurrently.ts';
import { place, runContainer } from '../helpers/container.ts';
import { asPid1, fixture, OURS, type Result, run, waitUntil } from '../helpers/processes.ts';
import { figure } from '../helpers/torture.ts';

const exit7 = ['sh', '-c', 'exit 7'];
const works: Result = { status: 7, stdout: '', stderr: '' };
const MIB = 2 ** 20;
const SIGSEGV = 11;

/** Ten starts with a limit (prlimit(1)), each of which must work. */
const tenTimes = (t: Test, ...limits: string[]) =>
  concurrently(Array.from({ length: 10 }), async () =>
    t.strictSame(await run('prlimit', [...limits, OURS, fixture('signals'), '0']), {
      ...works,
      status: 0,
      stdout: 'ready\n',
    }),
  );

for (const [what, limit] of [
  ['an address space of 110 MiB', `--as=${110 * MIB}`],
  ['data of 24 MiB', `--data=${24 * MIB}`],
  ['a stack of 64 KiB', `--stack=${64 << 10}`],
  ['3 open files', '--nofile=3:3'],
  ['no open file', '--nofile=0:0'],
  ['no locked memory', '--memlock=0:0'],
  ['no pending signal', '--sigpending=0:0'],
] as const) {
  t.test(`${what}: 10 of 10 start`, async (t) => {
    await tenTimes(t, limit);
  });
}

t.test('no file may grow: 10 of 10 start, and do what does not write to one', async (t) => {
  await concurrently(Array.from({ length: 10 }), async () =>
    t.strictSame(await run('prlimit', ['--fsize=0:0', OURS, ...exit7]), works),
  );
});

t.test('all of these limits at once, as PID 1: orphans are reaped and the status comes through', async (t) => {
  // The command needs more files than dumb-init does: it looks into /proc.
  const limits = [`--as=${110 * MIB}`, `--data=${24 * MIB}`, `--stack=${64 << 10}`, '--nofile=16:16'];
  const words = ['prlimit', ...limits, OURS, fixture('orphans')];
  t.strictSame(await asPid1([...words, '20', '5']).ended, { status: 0, stdout: 'reaped\n', stderr: '' });
});

for (const [what, limits] of [
  ['address space', [1, 8, 32, 64].map((mib) => `--as=${mib * MIB}`)],
  ['data', [0, 1, 8, 16].map((mib) => `--data=${mib * MIB}`)],
  ['stack', ['--stack=0']],
] as const) {
  t.test(
    `too little ${what} to map the file: the kernel ends it when it is executed, and it does not hang`,
    async (t) => {
      for (const limit of limits) {
        const { status, stdout } = await run('prlimit', [limit, OURS, ...exit7]);
        t.ok([128 + SIGSEGV, 126].includes(status), `${limit}: ${status}`); // 126: prlimit tells of what execve has said
        t.equal(stdout, '');
      }
    },
  );
}

/** @returns the smallest number of processes that is enough; below it, the line and the status of 1.2.5 */
async function floorOfProcesses(t: Test, limited: (processes: number) => Promise<Result>): Promise<number> {
  for (let processes = 1; processes < 20; processes++) {
    const result = await limited(processes);
    if (result.status === 7) return processes;
    t.strictSame(
      result,
      { status: 1, stdout: '', stderr: '[dumb-init] Unable to fork. Exiting.\n' },
      `with ${processes}`,
    );
  }
  return Number.NaN;
}

t.test('a limit of the processes of a user (RLIMIT_NPROC): 2 are enough, itself and the command', async (t) => {
  const nobodyElse = ['--reuid=64321', '--regid=64321', '--clear-groups'];
  const floor = await floorOfProcesses(t, (n) =>
    run('setpriv', [...nobodyElse, 'prlimit', `--nproc=${n}:${n}`, OURS, ...exit7]),
  );
  figure('Floors', `processes of a user: ${floor}`);
  t.equal(floor, 2);
});

let cgroups = 0;

/** Removes a cgroup, unless a process that ends is still in it. */
function removed(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

/** A cgroup of this test's own, of version 1 or 2. */
function cgroup(t: Test, controller: string, v1File: string, v2File: string) {
  const v1 = existsSync(`/sys/fs/cgroup/${controller}`);
  const folder = `/sys/fs/cgroup/${v1 ? `${controller}/` : ''}dumb-init-test-${process.pid}-${cgroups++}`;
  mkdirSync(folder);
  t.teardown(() => waitUntil(() => removed(folder), 'the last process to leave its cgroup'));
  const script = `echo $$ > ${folder}/cgroup.procs && exec "$@"`;
  return (limit: number, ...words: string[]) => {
    writeFileSync(`${folder}/${v1 ? v1File : v2File}`, String(limit));
    return run('sh', ['-c', script, 'sh', ...words]);
  };
}

t.test('a limit of the pids of a cgroup: 2 are enough, itself and the command', async (t) => {
  const limited = cgroup(t, 'pids', 'pids.max', 'pids.max');
  const floor = await floorOfProcesses(t, (n) => limited(n, OURS, ...exit7));
  figure('Floors', `pids of a cgroup: ${floor}`);
  t.equal(floor, 2);
});

t.test(
  'in a memory cgroup of 4 MiB 10 of 10 start; with far too little the kernel kills it, and it does not hang',
  async (t) => {
    const memory = () => cgroup(t, 'memory', 'memory.limit_in_bytes', 'memory.max');
    const limited = memory();
    for (let start = 0; start < 10; start++) {
      t.strictSame(await limited(4 * MIB, OURS, fixture('signals'), '0'), { ...works, status: 0, stdout: 'ready\n' });
    }
    t.equal((await memory()(MIB / 2, OURS, fixture('signals'), '0')).status, 128 + 9);
  },
);

t.test('seccomp that answers clone3 with EPERM, as older Docker does, is no hindrance', async (t) => {
  const { status, stderr } = await runContainer({
    args: ['/dumb-init', '/busybox', 'sh', '-c', 'exit 7'],
    configure: (config) => {
      const syscalls = [{ names: ['clone3', 'io_uring_setup'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }];
      config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', syscalls };
    },
  });
  t.strictSame({ status, stderr }, { status: 7, stderr: '' });
});

t.test('with /proc mounted hidepid=2, as nobody, it works', async (t) => {
  const { status, stderr } = await runContainer({
    user: 65534,
    args: ['/dumb-init', '/busybox', 'sh', '-c', 'exit 7'],
    configure: ({ mounts }) => {
      for (const mount of mounts) if (mount.type === 'proc') mount.options = ['hidepid=2'];
    },
  });
  t.strictSame({ status, stderr }, { status: 7, stderr: '' });
});

for (const [what, ...words] of [
  ['without address space randomization', 'setarch', '-R'],
  ['with the legacy layout of the address space', 'setarch', '-L'],
  ['with every readable page executable', 'setarch', '-X'],
  ['with an unlimited stack', 'prlimit', '--stack=unlimited'],
  ['with no memory lockable', 'prlimit', '--memlock=0:0'],
  ['without any capability', 'setpriv', '--bounding-set=-all', '--inh-caps=-all'],
  ['with no new privileges', 'setpriv', '--no-new-privs'],
  ['in a user namespace', 'unshare', '--user', '--map-root-user'],
  ['in a user namespace without a mapping', 'unshare', '--user'],
] as const) {
  t.test(`${what} it works`, async (t) => {
    const [command, ...args] = words as [string, ...string[]];
    t.strictSame(await run(command, [...args, OURS, ...exit7]), works);
  });
}

t.test('in a root that holds nothing else, with standard files closed in every combination, it works', async (t) => {
  const root = mkdtempSync('build/test/root-');
  t.teardown(() => rmSync(root, { recursive: true }));
  place(OURS, `${root}/dumb-init`);
  place('/bin/busybox', `${root}/busybox`);
  for (const closed of ['', '<&-', '>&-', '2>&-', '<&- >&-', '<&- 2>&-', '>&- 2>&-', '<&- >&- 2>&-']) {
    const script = `exec chroot ${root} /dumb-init /busybox sh -c 'exit 7' ${closed}`;
    t.strictSame(await run('sh', ['-c', script]), works, closed);
  }
});

t.test('debug lines to a full disk are dropped', async (t) => {
  t.strictSame(await run('sh', ['-c', `exec ${OURS} -v sh -c 'exit 7' 2>/dev/full`]), works);
});
