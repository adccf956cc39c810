/** What is frozen in the executable: nothing of the builder's, and no secret that all processes would share. */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { cpus, homedir, hostname, machine, release, userInfo, version } from 'node:os';
import t, { type Test } from 'tap';
import { definedSymbols, EHDR_SIZE, PHDR_SIZE, parseElf } from '../../scripts/build/elf.ts';
import { type Field, OFFSETS } from '../../src/libc/frozen-layout.ts';
import { fixture, isSettled, OURS, run, start, waitUntil } from '../helpers/processes.ts';

const OUT = `build/${machine()}`;

/** What the executable is made of, and what is nobody's secret. */
function parts(): Buffer[] {
  const libraries = readFileSync(`${OUT}/libraries.txt`, 'utf8').trim().split('\n');
  const others = [process.execPath, 'build/main.cjs', `${OUT}/frozen/root/ffi-rs.node`, `${OUT}/guard.so`];
  return [...others, ...libraries].map((path) => readFileSync(path));
}

t.test('nothing of the builder is in the executable: no path, name, variable or machine', async (t) => {
  const variables = Object.values(process.env).flatMap((value = '') => [value, ...value.split(':')]);
  const { uid, username } = userInfo();
  const names = [
    username,
    `uid=${uid}`,
    homedir(),
    hostname(),
    release(),
    version(),
    ...cpus().map(({ model }) => model),
  ];
  const folders = process
    .cwd()
    .split('/')
    .map((_, i, all) => all.slice(0, i + 1).join('/'));
  // A shorter word may stand there by chance.
  const words = new Set([process.cwd(), ...folders, ...names, ...variables].filter((word) => word.length > 4));
  const known = parts();
  const secrets = [...words].filter((word) => known.every((part) => !part.includes(word)));
  t.ok(secrets.includes(process.cwd()), 'the folder in which it is built is a secret');
  const executable = readFileSync(OURS);
  for (const secret of secrets) {
    for (const encoding of ['utf8', 'utf16le'] as const) {
      t.notOk(executable.includes(Buffer.from(secret, encoding)), `${secret} in ${encoding}`);
    }
  }
  t.notOk(executable.includes('/frozen/'), 'the folder of the freeze');
});

/** Where `struct frozen` is (scripts/build/pack.ts). */
function addressOfFrozen(): number {
  const guard = parseElf(readFileSync(`${OUT}/guard.so`), 'guard.so');
  const symbol = definedSymbols(guard).find(({ name }) => name === 'frozen');
  const mapped = readFileSync(`${OUT}/frozen/maps`, 'latin1')
    .split('\n')
    .find((line) => line.endsWith('/guard.so'));
  if (!symbol || !mapped) throw new Error('the guard is not found');
  return Number.parseInt(mapped, 16) + symbol.value;
}

/** Memory of another process. */
function memoryOf(pid: number, address: number, size: number): Buffer {
  const fd = openSync(`/proc/${pid}/mem`, 'r');
  try {
    const bytes = Buffer.alloc(size);
    let done = 0;
    while (done < size) done += readSync(fd, bytes, done, size - done, address + done);
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/** AT_RANDOM of a process: sixteen bytes that the kernel gives to it alone. */
function randomOf(pid: number): Buffer {
  const auxiliary = readFileSync(`/proc/${pid}/auxv`);
  for (let at = 0; at < auxiliary.length; at += 16) {
    if (auxiliary.readBigUInt64LE(at) === 25n) return memoryOf(pid, Number(auxiliary.readBigUInt64LE(at + 8)), 16);
  }
  throw new Error('there is no AT_RANDOM');
}

/** Two that wait for signals. */
async function two(t: Test) {
  const both = [1, 2].map(() => start(OURS, [fixture('signals'), '1']));
  for (const running of both) {
    t.teardown(() => {
      running.signal('SIGTERM');
      return running.ended;
    });
    await running.prints('ready');
    await waitUntil(() => isSettled(running.pid), 'the wait for signals');
  }
  return both.map(({ pid }) => pid) as [number, number];
}

const frozenAt = addressOfFrozen();
const field = (pid: number, name: Field) => Number(memoryOf(pid, frozenAt + OFFSETS[name], 8).readBigUInt64LE());

t.test('the secrets by which libc guards itself are of each process: they come of its own AT_RANDOM', async (t) => {
  const pids = await two(t);
  const secrets = pids.map((pid) => {
    const random = randomOf(pid);
    const canary = memoryOf(pid, field(pid, 'canary'), 8);
    const pointerGuard = memoryOf(pid, field(pid, 'pointer_guard'), 8);
    t.equal(canary[0], 0, 'the first byte of the canary ends a string');
    t.ok(canary.subarray(1).equals(random.subarray(1, 8)));
    t.ok(pointerGuard.equals(random.subarray(8)));
    return [canary, pointerGuard].map((bytes) => bytes.toString('hex'));
  });
  for (const i of [0, 1]) t.not(secrets[0]?.[i], secrets[1]?.[i]);
});

t.test('the thread is the one that the kernel knows: its ID in libc is its PID', async (t) => {
  for (const pid of await two(t)) {
    t.equal(memoryOf(pid, field(pid, 'thread_id'), 4).readInt32LE(), pid);
    t.equal(field(pid, 'pid'), pid);
  }
});

t.test('what is not written to is the same in each process, and what the file holds', async (t) => {
  const pids = await two(t);
  const file = readFileSync(OURS);
  const { segments } = parseElf(file, OURS);
  t.ok(EHDR_SIZE + segments.length * PHDR_SIZE <= 0x1000 + 0x1000);
  for (const { type, flags, vaddr, filesz, offset } of segments) {
    if (type !== 1 || flags & 2 || filesz === 0) continue;
    const stored = file.subarray(offset, offset + filesz);
    for (const pid of pids) t.ok(memoryOf(pid, vaddr, filesz).equals(stored), `at ${vaddr.toString(16)}`);
  }
});

t.test('where the executable is packed again of the same freeze, it is the same to the byte', async (t) => {
  const elves = [
    `${OUT}/frozen/dumb-init`,
    ...['lib', '.'].flatMap((folder) =>
      readdirSync(`${OUT}/frozen/root/${folder}`)
        .filter((name) => /\.so|\.node$/.test(name))
        .map((name) => `${OUT}/frozen/root/${folder}/${name}`),
    ),
  ];
  const words = [
    'scripts/build/pack.ts',
    `${OUT}/frozen`,
    `${OUT}/thaw`,
    process.execPath,
    'build/test/packed',
    ...elves,
  ];
  const { status, stderr } = await run(process.execPath, words);
  t.equal(status, 0, stderr);
  t.ok(readFileSync('build/test/packed').equals(readFileSync(OURS)));
});
