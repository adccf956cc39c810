/**
 * Boots the application once, on this machine and for any architecture, and has it frozen: under qemu-user,
 * with a plain processor, in a root that holds what Node may see and nothing of the builder.
 *
 *   freeze.ts ARCHITECTURE OBJDUMP APPLICATION STAGE GUARD ADDON FOLDER LIBRARY…      writes FOLDER/maps and FOLDER/memory
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { platformOf } from '../platforms.ts';
import { takeClockFromLoader } from './clock.ts';
import { parseElf } from './elf.ts';
import { STACK } from './layout.ts';

/** glibc: one arena, memory from the kernel in few calls, no restartable sequences; the plain form of each function. */
const TUNABLES = [
  'glibc.malloc.arena_max=1',
  'glibc.malloc.top_pad=1048576',
  'glibc.pthread.rseq=0',
  'glibc.cpu.name=generic',
].join(':');

const ENVIRONMENT = [
  'LD_PRELOAD=/stage.so:/guard.so',
  'LD_LIBRARY_PATH=/lib',
  'LD_BIND_NOW=1',
  'OPENSSL_CONF=',
  `GLIBC_TUNABLES=${TUNABLES}`,
];

/** What Node and the rehearsed program read of /proc and /etc. Processes: PID, name, state, parent, group and session. */
const PROCESSES = [
  [1, 'dumb-init', 'S', 0, 1],
  [7, 'command', 'S', 8, 7],
  [8, 'dumb-init', 'S', 1, 8],
  [9, 'somebody', 'T', 8, 9],
] as const;
const statLine = ([pid, name, state, parent, family]: (typeof PROCESSES)[number]) =>
  `${pid} (${name}) ${state} ${parent} ${family} ${family} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${pid} 0 0\n`;
const FILES: Record<string, string> = {
  'etc/ld.so.preload': '',
  'proc/meminfo': 'MemTotal: 1048576 kB\nMemFree: 1048576 kB\nMemAvailable: 1048576 kB\n',
  'proc/self/cgroup': '',
  ...Object.fromEntries([0, 1, 2, 3].map((fd) => [`proc/self/fd/${fd}`, ''])),
  'proc/self/status': 'Name:\tdumb-init\nNSpid:\t8\nThreads:\t1\n', // of a rehearsal that is not PID 1
  // Processes that are gone when they are looked at: one before its stat is opened, one before that is read. What is not
  // here is looked for on the builder's machine, so the first has a number that no process has (proc_sys_kernel(5), pid_max).
  'proc/4194305/comm': '',
  'proc/11/stat/folder': '',
  ...Object.fromEntries(PROCESSES.map((process) => [`proc/${process[0]}/stat`, statLine(process)])),
};

const [architecture, objdump, application, stage, guard, addon, folder, ...libraries] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  ...string[],
];
const { processor } = platformOf(architecture);

process.umask(0o022); // Node remembers the mode of a file that it has read
rmSync(folder, { recursive: true, force: true });
const root = `${folder}/root`;
const put = (from: string, to: string) => {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
};
put(stage, `${root}/stage.so`);
put(guard, `${root}/guard.so`);
put(addon, `${root}/ffi-rs.node`);
for (const library of libraries) {
  const copy = `${root}/lib/${basename(library)}`;
  put(library, copy);
  if (!basename(library).startsWith('ld-linux')) continue;
  const loader = parseElf(readFileSync(copy), copy);
  takeClockFromLoader(loader, objdump);
  writeFileSync(copy, loader.bytes);
  put(copy, `${root}/lib64/${basename(library)}`); // one of the two is where the application looks
}
for (const [name, text] of Object.entries(FILES)) {
  mkdirSync(dirname(`${root}/${name}`), { recursive: true });
  writeFileSync(`${root}/${name}`, text);
}
put(application, `${folder}/dumb-init`);
chmodSync(`${folder}/dumb-init`, 0o755);

const { status, signal, stderr, error } = spawnSync(
  'env', // which sees to it that nothing is added to the environment, as a test runner does
  [
    ...['-i', `qemu-${architecture}-static`],
    ...['-cpu', processor, '-s', String(STACK), '-seed', '1', '-r', '5.10.0', '-L', 'root', '-0', 'dumb-init'],
    ...ENVIRONMENT.flatMap((variable) => ['-E', variable]),
    './dumb-init',
  ],
  {
    cwd: folder,
    env: {},
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'latin1',
    timeout: 600_000,
    killSignal: 'SIGKILL',
  },
);
if (error) throw error;
if (status !== 0) {
  process.stderr.write(stderr);
  throw new Error(`the application could not be frozen: ${signal ?? `status ${status}`}`);
}
