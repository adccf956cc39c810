/**
 * Which kernels and processors dumb-init runs on: machines boot with it as their init, under emulation.
 * `make test` boots one of each architecture, `make test-kernels` all.
 */
import t from 'tap';
import { boot, type Console, type Machine } from '../helpers/kernels.ts';
import { asPid1, fixture, LIMIT_MS } from '../helpers/processes.ts';

/** For each kernel a plain processor, and one that has all that qemu can emulate. */
const X86_64 = ['qemu64', 'max'];
/** It signs pointers, as qemu does it: the architecture's own algorithm is slow to emulate. */
const ARM_MAX = 'max,pauth-impdef=on';

const KERNELS: (Omit<Machine, 'cpu'> & { cpus: string[] })[] = [
  { architecture: 'x86_64', kernel: 'bullseye-amd64', version: '5.10', pageKib: 4, cpus: X86_64 },
  { architecture: 'x86_64', kernel: 'bookworm-amd64', version: '6.1', pageKib: 4, cpus: X86_64 },
  { architecture: 'x86_64', kernel: 'trixie-amd64', version: '6.12', pageKib: 4, cpus: X86_64 },
  { architecture: 'aarch64', kernel: 'bookworm-arm64', version: '6.1', pageKib: 4, cpus: ['cortex-a57', ARM_MAX] },
  // Not on Cortex-A57, which has no pages of 16 KiB (ID_AA64MMFR0_EL1.TGran16).
  { architecture: 'aarch64', kernel: 'trixie-arm64-16k', version: '6.12', pageKib: 16, cpus: ['neoverse-n1', ARM_MAX] },
];
const ALL: Machine[] = KERNELS.flatMap(({ cpus, ...kernel }) => cpus.map((cpu) => ({ ...kernel, cpu })));
const SHORT = ALL.filter(({ kernel, cpu }) => kernel.startsWith('bookworm') && !cpu.startsWith('max'));

/** Each is a line of the fixture's (test/fixtures/machine.c). */
const BEHAVIOURS = [
  'as its init, 5000 signals, one by one, all arrive',
  'as its init, 1000 orphans leave no zombie',
  'in a PID namespace without /proc, exit statuses are passed on',
  'in a PID namespace without /proc, 5000 signals, one by one, all arrive',
  'in a PID namespace without /proc, 1000 orphans leave no zombie',
  'in a PID namespace with /proc, exit statuses are passed on',
  'with an unlimited stack, exit statuses are passed on',
  'with an unlimited stack, 5000 signals, one by one, all arrive',
  'with addresses that are not random, exit statuses are passed on',
];

for (const machine of process.env['KERNELS'] === 'full' ? ALL : SHORT) {
  const { architecture, cpu, version, pageKib } = machine;
  const name = `Linux ${version} ${architecture}, pages of ${pageKib} KiB, CPU ${cpu}`;
  let booted: Promise<Console> | undefined;
  /** One boot for all tests of a machine. */
  const console = () => {
    booted ??= boot(machine);
    return booted;
  };

  t.test(`${name}: the machine is what this says`, async (t) => {
    const { text, told } = await console();
    t.match(told('kernel'), `${version}.`, { console: text });
    t.equal(told('page size'), String(pageKib * 1024));
    if (architecture === 'aarch64') t.equal(told('pointer authentication'), cpu === ARM_MAX ? 'yes' : 'no');
  });

  for (const behaviour of BEHAVIOURS) {
    t.test(`${name}: ${behaviour}`, async (t) => {
      const { text, told } = await console();
      t.equal(told(behaviour), 'ok', { console: text.slice(-4000) });
    });
  }

  t.test(`${name}: the init ends with the status of the command, 7`, async (t) => {
    const { text } = await console();
    t.match(text, 'Attempted to kill init! exitcode=0x00000700\n', 'which the kernel tells when it panics');
  });
}

/** What no kernel of Debian's has, by qemu-user. The fixture is of this machine: qemu hands an execve to its kernel. */
for (const [what, options] of [
  ['with pages of 64 KiB', ['-p', String(0x10000)]],
  ['with addresses of 39 bits', ['-R', String(2 ** 39)]],
  ['with pages of 64 KiB and pointer authentication', ['-p', String(0x10000), '-cpu', 'max']],
] as const) {
  t.test(`aarch64, emulated ${what}: signals arrive, orphans leave no zombie, the status is passed on`, async (t) => {
    const emulated = ['qemu-aarch64-static', ...options, 'build/aarch64/dumb-init'];
    const words = [...emulated, fixture('machine'), 'signals', 'orphans', '7'];
    t.match(await asPid1(words, { limitMs: 2 * LIMIT_MS }).ended, { status: 7, stdout: '' });
  });
}
