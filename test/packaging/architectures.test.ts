import { readFileSync } from 'node:fs';
import t from 'tap';
import { PT_LOAD, parseElf } from '../../scripts/elf.ts';
import { type Container, place, runContainer, startContainer } from '../helpers/container.ts';
import { fixture } from '../helpers/processes.ts';

const built = (architecture: string) => `${process.cwd()}/build/${architecture}/dumb-init`;

const KIB = 1024;

for (const { architecture, machine, pageSizes } of [
  { architecture: 'x86_64', machine: 62, pageSizes: [4 * KIB] },
  { architecture: 'aarch64', machine: 183, pageSizes: [4 * KIB, 16 * KIB, 64 * KIB] },
]) {
  t.test(`${architecture}: a kernel with pages of any size can map the executable`, async (t) => {
    const file = parseElf(readFileSync(built(architecture)), architecture);
    t.equal(file.machine, machine);
    const loads = file.segments.filter(({ type }) => type === PT_LOAD);
    t.ok(loads.length > 0);
    for (const [i, { vaddr, offset, align }] of loads.entries()) {
      t.equal(align, 64 * KIB);
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
const emulated = (...args: string[]): Container => ({
  layRoot: (root) => {
    place(built('aarch64'), `${root}/dumb-init`);
    place('/usr/bin/qemu-aarch64-static', `${root}/qemu`);
    place('/bin/busybox', `${root}/busybox`);
    for (const name of ['signals', 'orphans']) place(fixture(name), `${root}/${name}`);
  },
  args: ['/qemu', '/dumb-init', ...args],
});

t.test('aarch64, emulated in an empty root: it tells its version', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  t.match(await runContainer(emulated('--version')), { status: 0, stderr: `dumb-init v${version}\n` });
});

t.test('aarch64, emulated in an empty root: the exit status of the command is the exit status', async (t) => {
  for (const code of [0, 7, 255]) {
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
