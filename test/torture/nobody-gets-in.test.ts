/** What dumb-init touches of the system until its command runs, and while it does: as little as there is. */
import { readFileSync } from 'node:fs';
import { machine } from 'node:os';
import t from 'tap';
import { runContainer } from '../helpers/container.ts';
import { dockerPermits, dockerSeccomp } from '../helpers/docker-seccomp.ts';
import { fixture, OURS, processState, readProc, run, start, waitUntil } from '../helpers/processes.ts';
import { figure, traced } from '../helpers/torture.ts';

/** What may be opened, and why. */
const OPENED: readonly [RegExp, string][] = [
  [/^\/proc\/self\/exe$/, 'launcher: is the executable whole (O_PATH)'],
  [/^\/proc\/self\/fd\/\d+$/, 'dynamic loader: the libraries in memfds; the addon'],
  [/^\/proc\/version_signature$/, 'libuv: the version of the kernel, where Ubuntu has it'],
  [/^\/proc\/self\/maps$/, 'V8: where the stack ends, and which code is mapped'],
  [/^\/proc\/self\/cgroup$/, 'libuv: the limit of memory'],
  [/^\/sys\/fs\/cgroup\/[^ ]*memory\.[a-z_.]+$/, 'libuv: the limit of memory'],
  [/^\/sys\/kernel\/mm\/transparent_hugepage\/(enabled|hpage_pmd_size)$/, 'malloc: whether there are huge pages'],
  [/^\/proc\/meminfo$/, 'libuv: how much memory there is'],
  [new RegExp(`^${OURS}$`), 'V8: which code is mapped; it goes on without'],
];

/** The lines of a trace of dumb-init alone: not of its command, which begins with a second execve. */
function ownLines(log: string): string[] {
  const lines = log.split('\n').map((line) => /^(\d+) +(.*)$/.exec(line));
  const commands = new Set(lines.filter((line) => /^execve\(/.test(line?.[2] ?? '')).map((line) => line?.[1]));
  commands.delete(lines[0]?.[1]);
  return lines.flatMap((line) => (line?.[2] && !commands.has(line[1]) ? [line[2]] : []));
}

t.test(
  'nothing is opened but the executable, memfds and a few named files of /proc and /sys, and only read',
  async (t) => {
    const { status, log } = await traced(['-f', '--trace=%file,open_by_handle_at'], [OURS, fixture('signals'), '0']);
    t.equal(status, 0);
    const opened = ownLines(log).filter((line) => /^open/.test(line));
    t.ok(opened.length > 3, 'the trace shows what is opened');
    for (const line of opened) {
      const path = /"([^"]*)"/.exec(line)?.[1] ?? '';
      t.ok(
        OPENED.some(([allowed]) => allowed.test(path)),
        line,
      );
      t.notMatch(line, /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/);
    }
    t.notMatch(ownLines(log).join('\n'), /^(mkdir|rename|unlink|link|symlink|mknod|chmod|chown|truncate)/m);
  },
);

t.test('no socket is made', async (t) => {
  const { status, log } = await traced(['-f', '--trace=%network'], [OURS, fixture('signals'), '0']);
  t.equal(status, 0);
  t.strictSame(
    ownLines(log).filter((line) => /^(socket|bind|listen|connect|accept)/.test(line)),
    [],
  );
});

t.test('every memfd is sealed, and closed before the command starts', async (t) => {
  const { status, log } = await traced(['--trace=memfd_create,fcntl,close,clone,vfork'], [OURS, 'true']);
  t.equal(status, 0);
  const lines = log.split('\n');
  const started = lines.findLastIndex((line) => /^(clone|vfork)\(/.test(line));
  const created = lines.flatMap((line, at) => {
    const [, name, fd] = /^memfd_create\("(.*)", .* = (\d+)$/.exec(line) ?? [];
    return name ? [{ name, fd, at }] : [];
  });
  t.ok(created.length > 5, 'the libraries are in memfds');
  for (const { name, fd, at } of created) {
    const sealed = `fcntl(${fd}, F_ADD_SEALS, F_SEAL_SEAL|F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_WRITE) = 0`;
    const sealedAt = lines.indexOf(sealed, at);
    const closedAt = lines.findIndex((line, i) => i > at && line.startsWith(`close(${fd})`));
    t.ok(at < sealedAt && sealedAt < closedAt && closedAt < started, `${name}: ${[at, sealedAt, closedAt, started]}`);
  }
});

/** Every system call of dumb-init until its end (x86_64). All are in the default profiles of Docker and Podman. */
const SYSTEM_CALLS = [
  ...['access', 'arch_prctl', 'brk', 'capget', 'chdir', 'clone', 'close', 'dup2', 'epoll_create1', 'epoll_ctl'],
  ...['epoll_pwait', 'eventfd2', 'execve', 'exit', 'exit_group', 'faccessat2', 'fallocate', 'fcntl', 'fstat', 'futex'],
  ...['getegid', 'geteuid', 'getgid', 'getpid', 'getrandom', 'getsid', 'gettid', 'getuid', 'ioctl', 'kill', 'madvise'],
  ...['memfd_create', 'mmap', 'mprotect', 'mremap', 'munmap', 'newfstatat', 'openat', 'pipe2', 'pread64', 'prlimit64'],
  ...['pwrite64', 'read', 'readlink', 'rseq', 'rt_sigaction', 'rt_sigpending', 'rt_sigprocmask', 'rt_sigtimedwait'],
  ...['sched_getaffinity', 'set_robust_list', 'set_tid_address', 'setsid', 'sysinfo', 'uname', 'wait4', 'waitid'],
  ...['write'],
];

/** What runc does between the filter and the exec of PID 1, preempted by its Go runtime or not, and what busybox needs. */
const OF_OTHERS = [
  ...['close_range', 'fstatfs', 'getdents64', 'lseek', 'nanosleep', 'prctl', 'rt_sigreturn', 'sched_yield'],
  ...['setgid', 'setuid', 'sigaltstack', 'tgkill'],
];

t.test('under seccomp that allows the listed system calls alone it works, and says nothing', async (t) => {
  const { status, stdout, stderr } = await runContainer({
    args: ['/dumb-init', '/busybox', 'sh', '-c', 'echo works; exit 7'],
    configure: (config) => {
      config.linux['seccomp'] = {
        defaultAction: 'SCMP_ACT_ERRNO',
        defaultErrnoRet: 1,
        syscalls: [{ names: [...SYSTEM_CALLS, ...OF_OTHERS], action: 'SCMP_ACT_ALLOW' }],
      };
    },
  });
  t.strictSame({ status, stdout, stderr }, { status: 7, stdout: 'works\n', stderr: '' });
  figure('System calls', `all that are made until the end: ${SYSTEM_CALLS.map((name) => `\`${name}\``).join(', ')}`);
});

for (const [errno, docker] of [
  [38, "Docker's default seccomp profile"],
  [1, 'that of Docker before 20.10.10, in which clone3 fails with EPERM'],
] as const) {
  t.test(`under ${docker}, it works and says nothing`, async (t) => {
    const { status, stdout, stderr } = await runContainer({
      args: ['/dumb-init', '/busybox', 'sh', '-c', '(echo works & wait); exit 7'],
      configure: (config) => {
        config.linux['seccomp'] = dockerSeccomp(errno);
      },
    });
    t.strictSame({ status, stdout, stderr }, { status: 7, stdout: 'works\n', stderr: '' });
  });
}

t.test("every system call that is made is permitted by Docker's default profile", async (t) => {
  t.strictSame(
    SYSTEM_CALLS.filter((name) => !dockerPermits(name)),
    [],
  );
});

t.test('no memory is writable and executable, nor a stack executable', async (t) => {
  const running = start(OURS, [fixture('signals'), '1']);
  await running.prints('ready');
  await waitUntil(() => processState(running.pid) === 'S', 'it to wait for signals');
  const mappings = readProc(`${running.pid}/maps`).trim().split('\n');
  t.ok(
    mappings.some((line) => / r-xp /.test(line)),
    'its code is mapped',
  );
  t.strictSame(
    mappings.filter((line) => / .wx. |x.*\[(stack|heap)\]/.test(line)),
    [],
  );
  running.signal('SIGTERM');
  t.equal((await running.ended).status, 0);
});

t.test(
  'of what is built, nothing is loaded writable and executable; libraries are bound and read-only at once',
  async (t) => {
    const elf = async (file: string) => (await run('readelf', ['--segments', '--dynamic', '--wide', file])).stdout;
    for (const name of ['dumb-init', 'launcher', 'share.so', 'guard.so']) {
      const text = await elf(`build/${machine()}/${name}`);
      t.match(text, /^ +LOAD .* R E 0x/m, `${name}: its code`);
      t.notMatch(text, /^ +\S+ .* .WE 0x/m, `${name}: nothing writable and executable`);
      t.match(text, /^ +GNU_STACK .* RW +0x/m, `${name}: no executable stack`);
      if (!name.endsWith('.so')) continue;
      t.match(text, /^ +GNU_RELRO /m, name);
      t.match(text, /BIND_NOW|Flags: NOW/, name);
    }
  },
);

t.test('every dependency is pinned to one version, and by its hash', async (t) => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { integrity?: string; version: string }>;
  };
  const { '': root, ...dependencies } = packages;
  t.ok(root && Object.keys(dependencies).length > 0);
  for (const [path, { integrity = '' }] of Object.entries(dependencies)) t.match(integrity, /^sha512-.{88}/, path);
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, Record<string, string>>;
  const wanted = { ...manifest['devDependencies'], ...manifest['optionalDependencies'] };
  for (const [name, version] of Object.entries(wanted)) t.match(version, /^\d+\.\d+\.\d+/, name);
});

t.test('a set-user-ID copy has the rights of its owner, and nothing of the caller is loaded into it', async (t) => {
  // As with any program that runs commands, the bit gives all of the owner's rights away (see the README).
  const { status, stdout, stderr } = await runContainer({
    user: 65534,
    executableMode: 0o4755,
    env: ['LD_PRELOAD=/hostile.so', 'LD_AUDIT=/hostile.so', 'NODE_OPTIONS=--require=/hostile.js'],
    files: { '/hostile.so': 'no ELF file', '/hostile.js': 'process.exit(99)' },
    args: ['/dumb-init', '/busybox', 'sh', '-c', '/busybox grep Uid: /proc/1/status; exit 7'],
    configure: (config) => {
      config.process['noNewPrivileges'] = false;
    },
  });
  t.strictSame({ status, stdout, stderr }, { status: 7, stdout: 'Uid:\t65534\t0\t0\t0\n', stderr: '' });
});
