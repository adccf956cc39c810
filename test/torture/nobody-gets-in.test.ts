/** What dumb-init touches of the system until its command runs, and while it does: as little as there is. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { machine } from 'node:os';
import { join, resolve } from 'node:path';
import t from 'tap';
import { runContainer } from '../helpers/container.ts';
import { fixture, OURS, processState, readProc, run, start, waitUntil } from '../helpers/processes.ts';
import { docker, permits, podman, withoutClone3 } from '../helpers/seccomp.ts';
import { figure, times, tracedInit } from '../helpers/torture.ts';

/** The name that a system call has in a line of strace's. */
const callOf = (line: string) => /^(\w+)\(/.exec(line)?.[1] ?? '';
const callsOf = (lines: readonly string[]) => [...new Set(lines.map(callOf))].filter(Boolean).sort();

/** A shell that starts an init in the background, sends it signals when it waits for them, and waits for its end. */
const FLOODED = `
  each=$1; shift
  "$@" & init=$!
  until grep -q '^SigBlk:.0000000180000000' /proc/$init/status; do :; done
  for n in 34 50 64; do $FLOOD $init $n $each; done
  wait $init`;

t.test(
  'of a start, thousands of signals and the end: nothing is opened, no file but 0, 1 and 2 is touched, and there is one thread',
  async (t) => {
    const each = times(10_000, 1_000);
    const words = [OURS, '-v', fixture('signals'), String(3 * each), 'quiet'];
    const env = { PATH: '/usr/bin:/bin', FLOOD: fixture('flood') };
    const limitMs = 10 * 60_000;
    const { status, lines } = await tracedInit('all', OURS, ['sh', '-c', FLOODED, 'sh', String(each), ...words], {
      env,
      limitMs,
    });
    t.equal(status, 0);
    t.equal(
      lines.filter((line) => line.startsWith('kill(')).length,
      3 * each + 1,
      'each is forwarded, and the last TERM',
    );
    t.strictSame(
      lines.filter((line) =>
        /^(open|creat|socket|pipe|dup|eventfd|epoll|memfd|inotify|accept|timerfd|signalfd|userfault)/.test(line),
      ),
      [],
    );
    const files = lines.flatMap(
      (line) => /^(?:write|writev|read|close|ioctl|fcntl|fstat|lseek|dup|dup2|dup3)\((-?\d+)/.exec(line)?.[1] ?? [],
    );
    t.ok(files.length > 0 && files.every((fd) => ['0', '1', '2'].includes(fd)), `${[...new Set(files)]}`);
    const mapped = lines.filter((line) => line.startsWith('mmap('));
    t.ok(
      mapped.every((line) => line.includes('MAP_ANONYMOUS')),
      'no file is mapped',
    );
    const clones = lines.filter((line) => /^(clone|clone3|fork|vfork)\(/.test(line));
    t.match(clones, [/^clone\(child_stack=NULL, flags=CLONE_VM\|CLONE_VFORK\|SIGCHLD\) = \d+$/]);
    t.equal(clones.length, 1);
    t.strictSame(
      callsOf(lines).filter((name) => ![...SYSTEM_CALLS, ...WITH_MORE_WORK].includes(name)),
      [],
    );
    figure('System calls', `${3 * each} signals: nothing opened, no file but 0, 1 and 2 touched, one thread`);
  },
);

t.test('with standard files closed, only / is opened in their place, and that not to read', async (t) => {
  const { status, lines } = await tracedInit('%file,%desc', OURS, ['sh', '-c', `exec ${OURS} true <&- >&- 2>&-`]);
  t.equal(status, 0);
  const opened = lines.filter((line) => /^open/.test(line));
  t.equal(opened.length, 3);
  for (const line of opened) t.match(line, /^openat\(AT_FDCWD, "\/", O_RDONLY\|O_CLOEXEC\|O_PATH\) = [012]$/);
});

/** Every system call of dumb-init until its end, and of its child until the exec (x86_64). */
const SYSTEM_CALLS = [
  ...[
    'arch_prctl',
    'chdir',
    'clock_gettime',
    'clone',
    'execve',
    'exit_group',

    'getppid',
    'getsid',
    'ioctl',
    'kill',
  ],
  ...[
    'madvise',
    'mincore',
    'mmap',
    'poll',
    'ppoll',
    'rt_sigaction',
    'rt_sigpending',
    'rt_sigprocmask',
    'rt_sigtimedwait',
    'set_tid_address',
  ],
  ...['setsid', 'wait4', 'waitid', 'write'],
];

/** What is made too when V8 collects garbage, libc needs more memory, or a log is full. */
const WITH_MORE_WORK = ['brk', 'getpid', 'munmap', 'sendto'];

/** What is made only by some options, or under another name. */
const BEYOND: Record<string, readonly string[]> = {
  'as tini': ['getpid', 'prctl', 'setpgid'],
  'as catatonit': ['close', 'close_range', 'getpid', 'openat', 'prctl', 'setpgid'],
  'with --subreaper --parent-death-signal=HUP': ['prctl'],
  'with --log-format=json': ['gettimeofday'],
  'with --warn-zombies': ['close', 'openat', 'read', 'statx'],
};

/** Signals for the init that come back, a stop and an orphan, and more than the second after which memory is given back. */
const LIFE = 'trap "" 1 15 34; kill -1 $PPID; kill -34 $PPID; (true &); sleep 1.1; kill -15 $PPID; exit 7';
const STOP = 'kill -TSTP $PPID; until grep -q "^ShdPnd:.0*$" /proc/$PPID/status; do :; done; kill -CONT $PPID; exit 7';

/** Every system call of an init and of its child until the exec. */
async function callsOfLife(init: string, words: readonly string[], by: readonly string[] = []): Promise<string[]> {
  const { status, lines, child } = await tracedInit('all', init, [...by, init, ...words], {
    interactive: by.length > 0,
  });
  if (status !== 7) throw new Error(`${words.join(' ')}: status ${status}`);
  return callsOf([...lines, ...child]);
}

t.test('it makes the listed system calls and no other', async (t) => {
  const folder = mkdtempSync(resolve('build/test/names-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const name of ['tini', 'catatonit']) symlinkSync(OURS, join(folder, name));
  const union = async (...lives: Promise<string[]>[]) => [...new Set((await Promise.all(lives)).flat())].sort();
  const made = await union(
    callsOfLife(OURS, ['-v', 'sh', '-c', LIFE]),
    callsOfLife(OURS, ['sh', '-c', LIFE], [fixture('pty'), 'leader']),
    callsOfLife(OURS, ['-r', '20:0', 'sh', '-c', STOP]),
  );
  if (machine() === 'x86_64') t.strictSame(made, [...SYSTEM_CALLS].sort());
  const beyond = async (how: string, ...lives: Promise<string[]>[]) => {
    const calls = (await union(...lives)).filter((name) => !SYSTEM_CALLS.includes(name));
    t.strictSame(calls, BEYOND[how], how);
  };
  const [tini, catatonit] = [join(folder, 'tini'), join(folder, 'catatonit')];
  const pty = [fixture('pty'), 'leader'];
  await beyond(
    'as tini',
    callsOfLife(tini, ['-s', '--', 'sh', '-c', LIFE]),
    callsOfLife(tini, ['-vvv', '--', 'sh', '-c', LIFE], pty),
  );
  await beyond(
    'as catatonit',
    callsOfLife(catatonit, ['--', 'sh', '-c', LIFE]),
    callsOfLife(catatonit, ['-g', '--', 'sh', '-c', LIFE], pty),
  );
  await beyond(
    'with --subreaper --parent-death-signal=HUP',
    callsOfLife(OURS, ['--subreaper', '--parent-death-signal=HUP', 'sh', '-c', LIFE]),
  );
  await beyond('with --log-format=json', callsOfLife(OURS, ['-v', '--log-format=json', 'sh', '-c', LIFE]));
  const orphan = `sh -c '(exit 0) & :'; until [ "$(cat /proc/$PPID/task/$PPID/children)" = "$$ " ]; do :; done; exit 7`;
  await beyond('with --warn-zombies', callsOfLife(OURS, ['--warn-zombies', 'sh', '-c', orphan]));
});

/** What runc does between the filter and the exec of PID 1, preempted by its Go runtime or not, and what busybox needs. */
const OF_OTHERS = [
  ...[
    'capget',
    'close',
    'close_range',
    'epoll_ctl',
    'epoll_pwait',
    'faccessat2',
    'fstat',
    'fstatfs',
    'futex',
    'getdents64',
  ],
  ...['getegid', 'geteuid', 'getgid', 'getpid', 'getrandom', 'getuid', 'lseek', 'mprotect', 'munmap', 'nanosleep'],
  ...['newfstatat', 'openat', 'prctl', 'prlimit64', 'read', 'readlink', 'rseq', 'rt_sigreturn', 'sched_yield'],
  ...['set_robust_list', 'setgid', 'setuid', 'sigaltstack', 'tgkill', 'uname'],
];

t.test('under seccomp that allows the listed system calls alone it works, and says nothing', async (t) => {
  const { status, stdout, stderr } = await runContainer({
    args: ['/dumb-init', '/busybox', 'sh', '-c', 'echo works; exit 7'],
    configure: (config) => {
      config.linux['seccomp'] = {
        defaultAction: 'SCMP_ACT_ERRNO',
        defaultErrnoRet: 1,
        syscalls: [{ names: [...SYSTEM_CALLS, ...WITH_MORE_WORK, ...OF_OTHERS], action: 'SCMP_ACT_ALLOW' }],
      };
    },
  });
  t.strictSame({ status, stdout, stderr }, { status: 7, stdout: 'works\n', stderr: '' });
  const names = [...SYSTEM_CALLS, ...WITH_MORE_WORK].sort().map((name) => `\`${name}\``);
  figure('System calls', `all that are made until the end: ${names.join(', ')}`);
});

for (const [name, profile] of Object.entries({
  "Docker's default seccomp profile": docker,
  "Docker's before 20.10.10, in which clone3 fails with EPERM": withoutClone3(docker),
  "Podman's default seccomp profile": podman,
})) {
  t.test(`under ${name} it works and says nothing`, async (t) => {
    const { status, stdout, stderr } = await runContainer({
      args: ['/dumb-init', '/busybox', 'sh', '-c', '(echo works & wait); exit 7'],
      configure: (config) => {
        config.linux['seccomp'] = profile;
      },
    });
    t.strictSame({ status, stdout, stderr }, { status: 7, stdout: 'works\n', stderr: '' });
  });

  t.test(`every system call that is made is permitted by ${name}`, async (t) => {
    const made = [...SYSTEM_CALLS, ...WITH_MORE_WORK, ...Object.values(BEYOND).flat()];
    t.strictSame(
      made.filter((name) => !permits(profile, name)),
      [],
    );
  });
}

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
  'of what is built, nothing is loaded writable and executable; what was a library is bound and read-only',
  async (t) => {
    const elf = async (file: string) => (await run('readelf', ['--segments', '--dynamic', '--wide', file])).stdout;
    for (const name of ['dumb-init', 'thaw', 'guard.so']) {
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
