/** Machines that qemu-system emulates: a real kernel, with dumb-init as its init. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './processes.ts';

export interface Machine {
  architecture: 'x86_64' | 'aarch64';
  /** As qemu names it. */
  cpu: string;
  /** A file of build/test/kernels, and the series it is of. */
  kernel: string;
  version: string;
  /** The size of its pages. */
  pageKib: number;
}

/** What a machine has printed on its console until it stopped. */
export interface Console {
  text: string;
  /** What the fixture `machine` has told of a matter; undefined if nothing. */
  told(matter: string): string | undefined;
}

/** How long a machine may run. */
const LIMIT_SECONDS = 300;

const QEMU = {
  x86_64: { command: 'qemu-system-x86_64', board: 'q35', console: 'ttyS0' },
  aarch64: { command: 'qemu-system-aarch64', board: 'virt', console: 'ttyAMA0' },
};

/** What the kernel is told. Words after `--` are the arguments of its init. */
const kernelArguments = (console: string) => [
  `console=${console}`,
  'rdinit=/dumb-init',
  'panic=-1', // the end of its init is the machine's
  'printk.devkmsg=on', // no line of the fixture is dropped
  // Tells of a crash: signal, addresses, registers.
  ...['print-fatal-signals=1', 'sysctl.debug.exception-trace=1'],
  ...['--', '/machine'],
];

/** Boots a machine with the fixture `machine` as the command of its init, and waits until it stops. */
export async function boot({ architecture, cpu, kernel }: Machine): Promise<Console> {
  const { command, board, console } = QEMU[architecture];
  const folder = mkdtempSync('build/test/machine-');
  try {
    const { stdout, stderr, status } = await run(
      'timeout', // which ends it even if the test has been killed
      [
        ...['--signal=KILL', String(LIMIT_SECONDS), command],
        ...['-accel', 'tcg', '-machine', board, '-cpu', cpu, '-m', '1G', '-nodefaults', '-no-reboot'],
        ...['-display', 'none', '-serial', 'stdio'],
        ...['-kernel', `build/test/kernels/${kernel}`, '-initrd', makeInitramfs(architecture, folder)],
        ...['-append', kernelArguments(console).join(' ')],
      ],
      { limitMs: (LIMIT_SECONDS + 10) * 1000 },
    );
    const text = `${stdout}${stderr}\n[${command} ended with status ${status}]\n`.replaceAll('\r', '');
    return { text, told: (matter) => toldOf(matter, text) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const toldOf = (matter: string, text: string): string | undefined =>
  text
    .split('\n')
    .map((line) => line.split('] machine: ')[1])
    .find((line) => line?.startsWith(`${matter}: `))
    ?.slice(matter.length + 2);

/** The machine's whole file system. The kernel itself adds /dev/console. */
function makeInitramfs(architecture: Machine['architecture'], folder: string): string {
  const root = join(folder, 'root');
  mkdirSync(join(root, 'proc'), { recursive: true });
  copyFileSync(`build/${architecture}/dumb-init`, join(root, 'dumb-init'));
  copyFileSync(`build/${architecture}/test/machine`, join(root, 'machine'));
  const output = join(folder, 'initramfs');
  execFileSync('cpio', ['--create', '--quiet', '--format=newc', `--file=${join(process.cwd(), output)}`], {
    cwd: root,
    input: 'proc\ndumb-init\nmachine\n',
  });
  return output;
}
