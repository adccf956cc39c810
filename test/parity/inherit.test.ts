/** What the command inherits through dumb-init, held against 1.2.5 to the byte. */
import { constants, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { concurrently } from '../helpers/concurrently.ts';
import { fixture, ORACLE, OURS, run } from '../helpers/processes.ts';

const folder = mkdtempSync(resolve('build/test/inherit-'));
t.teardown(() => rmSync(folder, { recursive: true }));

const data = join(folder, 'data');
writeFileSync(data, 'x'.repeat(100));

const { O_RDONLY, O_WRONLY, O_RDWR, O_APPEND, O_NONBLOCK, O_SYNC, O_DIRECTORY, O_NOATIME } = constants;
const [O_CLOEXEC, O_PATH] = [0o2000000, 0o10000000];

/** Settings of test/fixtures/situation.c. */
const open = (fd: number, flags = O_RDONLY, offset = 0, path = data) => `open=${fd}:${flags}:${offset}:${path}`;
const limit = (resource: number, soft: number, hard: number) => `limit=${resource}:${soft}:${hard}`;
const numbers = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** sys/resource.h, and sys/prctl.h */
const RLIMIT = {
  CPU: 0,
  FSIZE: 1,
  DATA: 2,
  STACK: 3,
  CORE: 4,
  NPROC: 6,
  NOFILE: 7,
  MEMLOCK: 8,
  SIGPENDING: 11,
  MSGQUEUE: 12,
};
const PR = { PDEATHSIG: 1, DUMPABLE: 4, KEEPCAPS: 8, SECUREBITS: 28, TIMERSLACK: 29, SUBREAPER: 36, NO_NEW_PRIVS: 38 };

interface Situation {
  settings?: string[];
  /** Behind the command's name. */
  args?: string[];
  /** In the place of `dumb-init OPTION probe FILE`. */
  words?: string[];
}

let cases = 0;

/** The exit status and what the command found, in this situation. */
async function found(init: string, option: string, situation: Situation, file: string) {
  const { settings = [], args = [], words = [option, fixture('probe'), file] } = situation;
  const result = await run(fixture('situation'), [...settings, '--', init, ...words, ...args], {
    env: {},
    cwd: folder,
  });
  const report = existsSync(file) ? readFileSync(file, 'latin1') : '(no report)';
  rmSync(file, { force: true });
  return `status ${result.status}\n${result.stdout}${result.stderr}${numbered(report)}`;
}

/** Pipes and sockets by the order in which they appear: their numbers differ between two runs. */
function numbered(report: string): string {
  const seen: string[] = [];
  return report.replace(/(pipe|socket):\[\d+\]/g, (name) => {
    if (!seen.includes(name)) seen.push(name);
    return `${name.replace(/\d+/, '')}${seen.indexOf(name)}`;
  });
}

/** Where two texts part; undefined when they don't. */
function parting(ours: string, theirs: string) {
  if (ours === theirs) return undefined;
  let at = 0;
  while (ours[at] === theirs[at]) at++;
  const from = Math.max(0, at - 60);
  return { at, ours: ours.slice(from, at + 200), theirs: theirs.slice(from, at + 200) };
}

async function asTheirs(t: Test, situations: Record<string, Situation>): Promise<void> {
  await concurrently(Object.entries(situations), async ([name, situation]) => {
    for (const option of ['--', '-c']) {
      const file = join(folder, `report-${cases++}`);
      const theirs = await found(ORACLE, option, situation, file);
      if (!situation.words) t.match(theirs, /^status 0\nargc /, `${name}: the probe reports`);
      t.same(parting(await found(OURS, option, situation, file), theirs), undefined, `${option} ${name}`);
    }
  });
}

t.test('as 1.2.5: the ordinary case', (t) => asTheirs(t, { ordinary: {} }));

t.test('as 1.2.5: standard streams that are closed stay closed', (t) => {
  const closed = numbers(0, 7).map((bits) => [0, 1, 2].filter((fd) => bits & (1 << fd)));
  return asTheirs(
    t,
    Object.fromEntries(
      closed.flatMap((fds) => {
        const settings = fds.map((fd) => `close=${fd}`);
        return [
          [`without ${fds}`, { settings }],
          [`without ${fds}, with 3 and 5`, { settings: [open(3), open(5, O_WRONLY, 7), ...settings] }],
        ];
      }),
    ),
  );
});

t.test('as 1.2.5: open files, with their numbers, flags and offsets', (t) =>
  asTheirs(t, {
    'far between': {
      settings: [
        open(3, O_RDONLY, 5),
        open(9, O_RDWR | O_APPEND, 17),
        open(17, O_WRONLY | O_NONBLOCK, 1000),
        open(40, O_RDONLY | O_NOATIME | O_SYNC),
        open(200, O_RDONLY | O_DIRECTORY, 0, folder),
      ],
    },
    'close-on-exec': { settings: [open(3, O_RDONLY | O_CLOEXEC), open(4), open(9, O_RDWR | O_CLOEXEC), open(17)] },
    'path only': { settings: [open(5, O_PATH), open(6, O_PATH, 0, '/')] },
    shared: { settings: [open(3, O_RDWR, 9), 'dup=3:8', 'dup=3:12', 'dup=1:20'] },
    'every number to 80': { settings: numbers(3, 80).map((fd) => open(fd, O_RDONLY, fd)) },
    'every other number': { settings: numbers(2, 60).map((n) => open(2 * n, O_RDONLY, n)) },
    'standard input and output at an offset': { settings: [open(0, O_RDWR, 3), open(1, O_WRONLY | O_APPEND, 4)] },
    'standard streams that do not block': { settings: numbers(0, 2).map((fd) => open(fd, O_RDWR | O_NONBLOCK)) },
    'standard streams closed on exec': { settings: numbers(0, 2).map((fd) => open(fd, O_RDWR | O_CLOEXEC)) },
    'folder as standard input': { settings: [open(0, O_RDONLY, 0, '/')] },
  }),
);

t.test('as 1.2.5: signals ignored or blocked', (t) =>
  asTheirs(t, {
    'ignored: standard ones': {
      settings: numbers(1, 31)
        .filter((n) => n !== 9 && n !== 19)
        .map((n) => `ignore=${n}`),
    },
    'ignored: SIGHUP, as by nohup': { settings: ['ignore=1'] },
    'ignored: real-time ones': { settings: numbers(34, 64).map((n) => `ignore=${n}`) },
    'blocked: standard ones': { settings: numbers(1, 31).map((n) => `block=${n}`) },
    'blocked: real-time ones': { settings: numbers(34, 64).map((n) => `block=${n}`) },
    'ignored and blocked': { settings: ['ignore=1', 'block=1', 'ignore=15', 'block=15', 'ignore=35', 'block=35'] },
  }),
);

t.test('as 1.2.5: resource limits', (t) =>
  asTheirs(t, {
    'open files, soft below hard': { settings: [limit(RLIMIT.NOFILE, 64, 4096)] },
    'open files, soft as hard': { settings: [limit(RLIMIT.NOFILE, 1024, 1024)] },
    'open files, a soft limit that is very low': { settings: [limit(RLIMIT.NOFILE, 8, 4096)] },
    'core files': { settings: [limit(RLIMIT.CORE, 0, 4096)] },
    'file size': { settings: [limit(RLIMIT.FSIZE, 1_000_000_000, -1)] },
    'file size, a soft limit that is very low': { settings: [limit(RLIMIT.FSIZE, 100_000, -1)] },
    stack: { settings: [limit(RLIMIT.STACK, 4 << 20, 16 << 20)] },
    'processor time': { settings: [limit(RLIMIT.CPU, 1000, 2000)] },
    'locked memory': { settings: [limit(RLIMIT.MEMLOCK, 4096, 8192)] },
    'data, in gigabytes': { settings: [limit(RLIMIT.DATA, 2 ** 36, 2 ** 36)] },
    'processes, signals, queues': {
      settings: [limit(RLIMIT.NPROC, 500, 900), limit(RLIMIT.SIGPENDING, 100, 200), limit(RLIMIT.MSGQUEUE, 1, 2)],
    },
  }),
);

t.test('as 1.2.5: umask, niceness, and what the kernel notes of a process', (t) =>
  asTheirs(t, {
    'umask 0': { settings: ['umask=0'] },
    'umask 777': { settings: ['umask=777'] },
    niceness: { settings: ['nice=7'] },
    oom_score_adj: { settings: ['oom=321'] },
    'timer slack': { settings: [`prctl=${PR.TIMERSLACK}:1234567`] },
    subreaper: { settings: [`prctl=${PR.SUBREAPER}:1`] },
    'not dumpable': { settings: [`prctl=${PR.DUMPABLE}:0`] },
    "signal at the parent's death": { settings: [`prctl=${PR.PDEATHSIG}:10`] },
    'keepcaps and securebits': { settings: [`prctl=${PR.KEEPCAPS}:1`, `prctl=${PR.SECUREBITS}:4`] },
    'no new privileges': { settings: [`prctl=${PR.NO_NEW_PRIVS}:1`] },
  }),
);

t.test('as 1.2.5: the working directory', (t) =>
  asTheirs(t, {
    'a folder': { settings: [] },
    'a deleted folder': { settings: [`gone=${join(folder, 'gone')}`] },
  }),
);

const BYTES = [
  '',
  ' ',
  '\\xff\\xfe',
  '\\xc3(',
  '\\xed\\xa0\\x80',
  'é☃',
  '\\x01\\x7f',
  'a\\x0ab',
  '%s%n',
  '--',
  '\\x80'.repeat(5000),
];

t.test('as 1.2.5: arguments, byte for byte', (t) =>
  asTheirs(t, {
    'odd bytes': { args: BYTES },
    'an empty last one': { args: ['a', '', ''] },
    'a hundred thousand': { settings: ['many=100000'] },
    'one of 128 kibibytes': { args: ['x'.repeat(131_071)] },
  }),
);

t.test('as 1.2.5: the environment, byte for byte and in its order', (t) => {
  const environment = (...entries: string[]) => ({ settings: entries.map((entry) => `env=${entry}`) });
  return asTheirs(t, {
    empty: environment(),
    'odd bytes': environment(...BYTES.map((value) => `NAME${value}=${value}`)),
    'entries without =': environment('A', 'PATH', '', '=', '=x', 'A', 'B=1'),
    'an empty last entry': environment('A=1', ''),
    duplicates: environment('A=1', 'B=2', 'A=3', 'PATH=/x', 'PATH=/y', 'DUMB_INIT_SETSID=1', 'DUMB_INIT_SETSID=0'),
    'what is meant for Node': environment(
      ...['NODE_OPTIONS=--no-such-option', 'NODE_CHANNEL_FD=3', 'NODE_V8_COVERAGE=/nowhere', 'NODE_DEBUG=all'],
      ...['UV_USE_IO_URING=1', 'OPENSSL_CONF=/nowhere', 'DUMB_INIT_HANDOVER=0 0 0 0 0 0', 'NODE_UNIQUE_ID=1'],
    ),
    'what is meant for dumb-init': environment('DUMB_INIT_SETSID=0', 'DUMB_INIT_DEBUG=0', 'DUMB_INIT_OTHER=1'),
    'nearly two megabytes': { settings: ['large=1900000', 'env=LAST=1'] },
    'nearly two megabytes, and ten thousand arguments': { settings: ['many=10000', 'large=1700000'] },
  });
});

t.test('as 1.2.5: started without any argument, not even its name', (t) =>
  asTheirs(t, { 'argc 0': { settings: ['no-arguments'], words: [] } }),
);

t.test('unlike 1.2.5, signals of the C library (32, 33) are at their defaults as well', async (t) => {
  const settings = ['ignore=32', 'ignore=33', 'block=32', 'block=33'];
  const report = await found(OURS, '--', { settings }, join(folder, 'libc-signals'));
  t.match(report, /^SigBlk:\t0+\nSigIgn:\t0+\nSigCgt:\t0+$/m);
});
