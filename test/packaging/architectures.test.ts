import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PF_W, PF_X, PT_GNU_STACK, PT_LOAD, parseElf } from '../../scripts/build/elf.ts';
import { type Container, place, runContainer, startContainer } from '../helpers/container.ts';
import { DIST, VERSION } from '../helpers/debian.ts';
import { fixture } from '../helpers/processes.ts';

const released = (architecture: string) => `${DIST}/dumb-init_${VERSION}_${architecture}`;

const KIB = 1024;

/** Kernels before 5.18 want the program headers within one page of 4 KiB. */
const MOST_HEADERS = 73;

for (const { architecture, machine, pageSizes } of [
  { architecture: 'x86_64', machine: 62, pageSizes: [4 * KIB] },
  { architecture: 'aarch64', machine: 183, pageSizes: [4 * KIB, 16 * KIB, 64 * KIB] },
]) {
  t.test(`${architecture}: any kernel takes the headers, and nothing is writable and executable`, async (t) => {
    const { segments } = parseElf(readFileSync(released(architecture)), architecture);
    t.ok(segments.length <= MOST_HEADERS, `${segments.length} program headers`);
    const others = segments.filter(({ type }) => type !== PT_LOAD);
    t.strictSame(
      others.map(({ type }) => type),
      [PT_GNU_STACK],
      'it has no interpreter, and no dynamic part',
    );
    const both = PF_W | PF_X;
    t.notOk(segments.some(({ flags }) => (flags & both) === both));
    // A kernel with addresses of 39 bits has room for it.
    t.ok(segments.every(({ vaddr, memsz }) => vaddr + memsz < 2 ** 39));
  });

  t.test(`${architecture}: a kernel with pages of any size can map the executable`, async (t) => {
    const file = parseElf(readFileSync(released(architecture)), architecture);
    t.equal(file.machine, machine);
    const loads = file.segments.filter(({ type }) => type === PT_LOAD);
    t.ok(loads.length > 0);
    for (const [i, { vaddr, offset, align }] of loads.entries()) {
      t.equal(align, Math.max(...pageSizes));
      t.equal(offset % align, vaddr % align, 'offset and address agree within a page');
      const before = loads[i - 1];
      if (!before) continue;
      for (const pageSize of pageSizes) {
        // A page in which one segment ends and this one begins is mapped from this one's place in the file.
        const shared = before.vaddr + before.filesz - (vaddr - (vaddr % pageSize));
        if (shared <= 0) continue;
        t.ok(before.memsz === before.filesz, 'nothing zeroed is in a shared page');
        const end = before.offset + before.filesz;
        const start = offset - (vaddr % pageSize);
        t.ok(
          file.bytes.subarray(start, start + shared).equals(file.bytes.subarray(end - shared, end)),
          `with pages of ${pageSize / KIB} KiB, the end of one segment is not lost to the next`,
        );
      }
    }
  });
}

/**
 * The aarch64 executable under emulation, in a root that has nothing of aarch64 but it. What it starts
 * is the machine's own: qemu-user hands an execve to the kernel.
 */
const emulated = (...args: string[]): Container => emulatedFrom(released('aarch64'), ...args);
const emulatedFrom = (executable: string, ...args: string[]): Container => ({
  layRoot: (root) => {
    place(executable, `${root}/dumb-init`);
    place('/usr/bin/qemu-aarch64-static', `${root}/qemu`);
    place('/bin/busybox', `${root}/busybox`);
    for (const name of ['signals', 'orphans']) place(fixture(name), `${root}/${name}`);
  },
  args: ['/qemu', '/dumb-init', ...args],
});

t.test('aarch64, emulated in an empty root: it tells its version', async (t) => {
  t.match(await runContainer(emulated('--version')), { status: 0, stderr: `dumb-init v${VERSION}\n` });
});

t.test('aarch64, emulated in an empty root: the exit status of the command is the exit status', async (t) => {
  for (const code of [0, 255]) {
    t.equal((await runContainer(emulated('/busybox', 'sh', '-c', `exit ${code}`))).status, code);
  }
});

t.test('aarch64, emulated in an empty root: the signals of runc kill reach the command', async (t) => {
  const container = startContainer(emulated('--rewrite', '10:12', '/signals', '3'));
  await container.prints('ready');
  for (const signal of ['TERM', 'USR1', 'HUP']) {
    await container.kill(signal);
    await container.prints(/(TERM|15)\n/);
  }
  const { status, stdout } = await container.ended;
  t.equal(status, 0);
  t.strictSame(stdout.trim().split('\n').sort(), ['1', '12', '15', 'ready']);
});

t.test('aarch64, emulated in an empty root: orphans leave no zombie', async (t) => {
  t.match(await runContainer(emulated('/orphans', '50')), { status: 0, stdout: 'reaped\n' });
});

/** How each other form of the release is taken apart, in a folder of its own, and where the executable is then. */
const forms: Record<string, [script: string, executable: string]> = {
  'the .deb': [`dpkg-deb -x "$DIST/dumb-init_${VERSION}_arm64.deb" .`, 'usr/bin/dumb-init'],
  'the wheel': [
    'python3 -m zipfile -e "$DIST"/dumb_init-*_aarch64.whl . && chmod +x */scripts/*',
    `dumb_init-${VERSION}.data/scripts/dumb-init`,
  ],
  'the npm package': [`tar -xzf "$DIST/dumb-init-linux-arm64-${VERSION}.tgz"`, 'package/dumb-init'],
};
for (const [form, [script, executable]] of Object.entries(forms)) {
  t.test(`aarch64, emulated in an empty root: the executable out of ${form}`, async (t) => {
    const folder = mkdtempSync(join(process.cwd(), 'build/test/aarch64-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    execFileSync('sh', ['-ec', script], { cwd: folder, env: { ...process.env, DIST } });
    const run = (...args: string[]) => runContainer(emulatedFrom(`${folder}/${executable}`, ...args));
    t.match(await run('--version'), { status: 0, stderr: `dumb-init v${VERSION}\n` });
    t.equal((await run('/busybox', 'sh', '-c', 'exit 7')).status, 7);
  });
}
