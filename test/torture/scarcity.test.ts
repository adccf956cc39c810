/** What is too little, and what is just enough: below each floor one line and status 1, never a hang or a crash. */
import { existsSync, mkdirSync, mkdtempSync, openSync, readSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { place, runContainer } from '../helpers/container.ts';
import { fixture, OURS, type Result, run } from '../helpers/processes.ts';
import { figure } from '../helpers/torture.ts';

const exit7 = ['sh', '-c', 'exit 7'];
const works: Result = { status: 7, stdout: '', stderr: '' };
const refuses = (line: string): Result => ({ status: 1, stdout: '', stderr: `[dumb-init] ${line}. Exiting.\n` });
const MIB = 2 ** 20;

for (const [name, option, floor, refusal] of [
  ['address space', 'as', 1536 * MIB, 'The limit of address space (ulimit -v) is below 1536 MiB'],
  ['data', 'data', 640 * MIB, 'The limit of data (ulimit -d) is below 640 MiB'],
  ['the stack', 'stack', MIB / 2, 'The limit of the stack (ulimit -s) is below 512 KiB'],
] as const) {
  t.test(`a limit of ${name} at the floor is enough; below it, one line and status 1`, async (t) => {
    const limited = (bytes: number) => run('prlimit', [`--${option}=${bytes}`, OURS, ...exit7]);
    t.strictSame(await limited(floor), works);
    for (const bytes of [floor - 1024, floor / 2, floor / 8]) t.strictSame(await limited(bytes), refuses(refusal));
  });
}

t.test('a hard limit of open files of 40 is enough; of 16, or with 3 left, one line and status 1', async (t) => {
  const limited = (files: number) => run('prlimit', [`--nofile=${files}:${files}`, OURS, ...exit7]);
  t.strictSame(await limited(40), works);
  t.strictSame(await limited(16), refuses('Too few file descriptors (ulimit -n) (errno=24)'));
  const open = 'for fd in {3..60}; do eval "exec $fd</dev/null"; done';
  const script = `${open}; ulimit -n 64; exec ${OURS} ${exit7.map((word) => `'${word}'`).join(' ')}`;
  const { status, stderr } = await run('bash', ['-c', script]);
  t.equal(status, 1);
  t.match(stderr, /^\[dumb-init\] .* \(errno=24\)\. Exiting\.\n$/);
});

t.test('at all floors at once it does its work', async (t) => {
  const floors = [`--as=${1536 * MIB}`, `--data=${640 * MIB}`, `--stack=${MIB / 2}`, '--nofile=40:40'];
  const words = [...floors, 'unshare', '--pid', '--fork', '--mount-proc', '--kill-child', OURS, fixture('orphans')];
  t.strictSame(await run('prlimit', [...words, '200', '5']), { status: 0, stdout: 'reaped\n', stderr: '' });
});

/** What is printed where one more process can't be had. */
const TOO_FEW = /^\[dumb-init\] (Unable to fork|Unable to create a thread: processes are limited)\. Exiting\.\n$/;

/** @returns the smallest number that is enough; all below it must end in one line and status 1 */
async function floorOfProcesses(t: Test, limited: (processes: number) => Promise<Result>): Promise<number> {
  for (let processes = 1; ; processes++) {
    const { status, stdout, stderr } = await limited(processes);
    if (status === 7) return processes;
    t.strictSame({ status, stdout }, { status: 1, stdout: '' }, `with ${processes}`);
    t.match(stderr, TOO_FEW);
    if (processes > 20) return Number.NaN;
  }
}

t.test('a limit of the processes of a user (RLIMIT_NPROC): 5 are enough; below, one line and status 1', async (t) => {
  const nobodyElse = ['--reuid=64321', '--regid=64321', '--clear-groups'];
  const floor = await floorOfProcesses(t, (n) =>
    run('setpriv', [...nobodyElse, 'prlimit', `--nproc=${n}:${n}`, OURS, ...exit7]),
  );
  figure('Floors', `processes of a user: ${floor}`);
  t.ok(floor <= 5, `${floor}`);
});

/** A cgroup of this test's own, of version 1 or 2. */
function cgroup(t: Test, controller: string, v1File: string, v2File: string) {
  const v1 = existsSync(`/sys/fs/cgroup/${controller}`);
  const folder = `/sys/fs/cgroup/${v1 ? `${controller}/` : ''}dumb-init-test-${process.pid}`;
  mkdirSync(folder);
  t.teardown(() => rmdirSync(folder));
  const script = `echo $$ > ${folder}/cgroup.procs && exec "$@"`;
  return (limit: number, ...words: string[]) => {
    writeFileSync(`${folder}/${v1 ? v1File : v2File}`, String(limit));
    return run('sh', ['-c', script, 'sh', ...words]);
  };
}

t.test('a limit of the pids of a cgroup: 5 are enough; below, one line and status 1', async (t) => {
  const limited = cgroup(t, 'pids', 'pids.max', 'pids.max');
  const floor = await floorOfProcesses(t, (n) => limited(n, OURS, ...exit7));
  figure('Floors', `pids of a cgroup: ${floor}`);
  t.ok(floor <= 5, `${floor}`);
});

t.test(
  'a memory limit of 24 MiB is enough; with far too little the kernel kills it, and it does not hang',
  async (t) => {
    const limited = cgroup(t, 'memory', 'memory.limit_in_bytes', 'memory.max');
    t.strictSame(await limited(24 * MIB, OURS, fixture('crowd'), '0'), { status: 0, stdout: 'ready\n0\n', stderr: '' });
    t.equal((await limited(4 * MIB, OURS, fixture('crowd'), '0')).status, 128 + 9);
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

t.test('without /dev/null, and with fds 0 and 1 closed, it works', async (t) => {
  const root = mkdtempSync('build/test/root-');
  t.teardown(() => rmSync(root, { recursive: true }));
  mkdirSync(`${root}/proc`);
  place(OURS, `${root}/dumb-init`);
  place('/bin/busybox', `${root}/busybox`);
  const script = `mount -t proc proc ${root}/proc && exec chroot ${root} /dumb-init /busybox sh -c 'exit 7' <&- >&-`;
  t.strictSame(await run('unshare', ['--mount', 'sh', '-c', script]), works);
});

t.test('debug lines to a full disk are dropped', async (t) => {
  t.strictSame(await run('sh', ['-c', `exec ${OURS} -v sh -c 'exit 7' 2>/dev/full`]), works);
});

t.test('vm.memfd_noexec=1 is no hindrance; 2 is one line and status 1', async (t) => {
  const withSetting = (value: number) =>
    run('unshare', [
      ...['--pid', '--fork', '--mount-proc', '--kill-child', 'sh', '-c'],
      `echo ${value} > /proc/sys/vm/memfd_noexec && exec ${OURS} sh -c 'exit 7'`,
    ]);
  t.strictSame(await withSetting(1), works);
  t.strictSame(await withSetting(2), refuses('Unable to create a memfd for the libraries (errno=13)'));
});

t.test('a truncated executable says so, be it cut at any place that is not needed to say it', async (t) => {
  const folder = mkdtempSync('build/test/truncated-');
  t.teardown(() => rmSync(folder, { recursive: true }));
  const bytes = Buffer.alloc(32 * MIB);
  readSync(openSync(OURS, 'r'), bytes, 0, bytes.length, 0);
  for (const size of [2, 8, 32].map((mib) => mib * MIB)) {
    writeFileSync(`${folder}/dumb-init-${size}`, bytes.subarray(0, size), { mode: 0o755 });
    t.strictSame(await run(`${folder}/dumb-init-${size}`, exit7), refuses('The executable is truncated or damaged'));
  }
});
