/**
 * Which kernels and processors dumb-init runs on: machines boot with it as their init, under emulation.
 * `make test` boots one of each architecture, `make test-kernels` all.
 */
import t from 'tap';
import { boot, type Console, type Machine } from '../helpers/kernels.ts';
import { fixture, LIMIT_MS, run } from '../helpers/processes.ts';

const KIB = 1024;

const KERNELS: Omit<Machine, 'cpu'>[] = [
  { architecture: 'x86_64', kernel: 'bookworm-amd64', version: '6.1.', pageSize: 4 * KIB },
  { architecture: 'aarch64', kernel: 'bookworm-arm64', version: '6.1.', pageSize: 4 * KIB },
  { architecture: 'x86_64', kernel: 'bullseye-amd64', version: '5.10.', pageSize: 4 * KIB },
  { architecture: 'x86_64', kernel: 'trixie-amd64', version: '6.12.', pageSize: 4 * KIB },
  { architecture: 'aarch64', kernel: 'trixie-arm64-16k', version: '6.12.', pageSize: 16 * KIB },
];
/** The plainest processor of an architecture, and one with all that qemu can emulate. */
const CPUS = { x86_64: ['qemu64', 'max'], aarch64: ['cortex-a57', 'max'] };

const ALL: Machine[] = KERNELS.flatMap((kernel) => CPUS[kernel.architecture].map((cpu) => ({ ...kernel, cpu })));
const SHORT = ALL.filter(({ kernel, cpu }) => kernel.startsWith('bookworm') && cpu !== 'max');

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
  const { architecture, cpu, version, pageSize } = machine;
  const name = `Linux ${version}x ${architecture}, pages of ${pageSize / KIB} KiB, CPU ${cpu}`;
  let booted: Promise<Console> | undefined;
  /** One boot for all tests of a machine. */
  const console = () => {
    booted ??= boot(machine);
    return booted;
  };

  t.test(`${name}: the machine is what this says`, async (t) => {
    const { text, told } = await console();
    t.ok(told('kernel')?.startsWith(version), text);
    t.equal(told('page size'), String(pageSize));
    if (architecture === 'aarch64') t.equal(told('pointer authentication'), cpu === 'max' ? 'yes' : 'no');
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
  ['with pages of 64 KiB', ['-p', String(64 * KIB)]],
  ['with addresses of 39 bits', ['-R', String(2 ** 39)]],
  ['with pages of 64 KiB and pointer authentication', ['-p', String(64 * KIB), '-cpu', 'max']],
] as const) {
  t.test(`aarch64, emulated ${what}: signals arrive, orphans leave no zombie, the status is passed on`, async (t) => {
    const emulated = ['qemu-aarch64-static', ...options, 'build/aarch64/dumb-init'];
    const words = ['--pid', '--fork', '--kill-child', ...emulated, fixture('machine'), 'signals', 'orphans', '7'];
    t.match(await run('unshare', words, { limitMs: 2 * LIMIT_MS }), { status: 7, stdout: '' });
  });
}
