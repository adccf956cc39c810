/** catatonit 0.1.7 (https://github.com/openSUSE/catatonit/blob/v0.1.7/catatonit.c): options, texts, statuses. */

import { EBADF, ENOTTY, ENXIO } from '../abi.ts';
import { getopt, type Spec } from '../getopt.ts';
import { LICENSE } from '../messages.ts';
import { defaultSettings } from '../option-table.ts';
import type { Environment, Parsed } from '../options.ts';
import type { Personality, Self } from '../personality.ts';
import { KERNEL_SIGNALS, SUSPENDING } from '../signals.ts';

const OPTIONS: readonly (Spec & { letter: string })[] = [
  { letter: 'g' },
  { letter: 'h' },
  { letter: 'L' },
  { letter: 'P' },
  { letter: 'V', name: 'version' },
];

const USAGE = 'usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]\n';

const HELP = `${USAGE}
options:
  -g              Forward signals to pid1's process group.
  -h              Print this help page.
  -L              Print license information.
  -P              Run in pause mode (no program is run and quit on SIGINT).
  -V, --version   Print version information.

The source code can be found at <https://github.com/openSUSE/catatonit/>.
For bug reporting instructions, please see: <https://bugs.opensuse.org/>.
`;

// `docker info` looks for tini's name (catatonit.c, version()).
const VERSION = 'tini version 0.1.7_catatonit\n';

const line = ({ pid }: Self, level: 'ERROR' | 'INFO' | 'DEBUG', text: string) =>
  `${level} (catatonit:${pid}): ${text}\n`;

function parse(argv: readonly string[], environment: Environment, self: Self): Parsed {
  const failure = (text: string): Parsed => ({ kind: 'usageError', text, status: 1 });
  if (environment('CATATONIT_LOG') !== undefined) {
    return failure(line(self, 'ERROR', 'CATATONIT_LOG is reserved for future use'));
  }
  const settings = {
    ...defaultSettings(),
    ...{ singleChild: true, keepIgnored: true, subreaper: true, verbose: environment('CATATONIT_DEBUG') !== undefined },
  };
  const permute = environment('POSIXLY_CORRECT') === undefined;
  const words = getopt(argv, { options: OPTIONS, long: true, permute });
  let step = words.next();
  for (; !step.done; step = words.next()) {
    if ('error' in step.value) return failure(step.value.error + USAGE);
    switch (step.value.row.letter) {
      case 'g':
        settings.singleChild = false;
        break;
      case 'P':
        settings.pause = true;
        break;
      case 'h':
        return { kind: 'help', text: HELP, status: 0 };
      case 'L':
        return { kind: 'help', text: LICENSE, status: 0, stdout: true };
      case 'V':
        return { kind: 'version', text: VERSION, status: 0, stdout: true };
    }
  }
  const operands = step.value;
  if (operands.length === 0 && !settings.pause) return failure(line(self, 'ERROR', 'missing program name') + USAGE);
  const fromEnvironment = { debug: false, noSetsid: false };
  return { kind: 'run', options: { ...settings, command: operands[0] ?? argv.length, operands, fromEnvironment } };
}

export const catatonit: Personality = {
  names: ['catatonit', 'podman-init'],
  parse,
  voice: ({ verbose }, self) => {
    if (!verbose) return {};
    const debug = (text: string) => line(self, 'DEBUG', text);
    return {
      cannotOpenTerminal: ({ text }) => line(self, 'INFO', `using stdin as tty fd: could not open /dev/tty: ${text}`),
      noTerminal: ({ errno, text }) =>
        debug(
          errno === ENXIO
            ? 'setting foreground process failed: no such device'
            : `setting foreground process failed: no tty present: ${text}`,
        ),
      spawned: (pid, file) => debug(`pid1 (${pid}) spawned: ${file}`),
      ignoring: () => debug('ignoring kernel attempting to stop us: tty has TOSTOP set'),
      orphan: (pid, end) =>
        debug(
          end.kind === 'exited'
            ? `child process ${pid} exited with code ${end.code}`
            : `child process ${pid} exited due to signal ${end.signal}`,
        ),
      drained: (childless) => (childless ? debug('got ECHILD: no children left to monitor') : undefined),
    };
  },
  rules: {
    suspending: new Set(),
    ignored: SUSPENDING,
    fatal: KERNEL_SIGNALS,
    terminatesGroup: false,
    drains: true,
  },
  foreground: '/dev/tty',
  noTerminal: [ENOTTY, EBADF, ENXIO],
  blocked: [...SUSPENDING],
  passesListenPid: true,
  leavesFolder: false,
  closesFiles: true,
  namesOrphans: false,
  cannotFork: (self, { text }) => line(self, 'ERROR', `failed to fork child: ${text}`),
  cannotExecute: (self, _, { text }) => line(self, 'ERROR', `failed to exec pid1: ${text}`),
  execStatuses: () => ({ notFound: 1, denied: 1, other: 1 }),
  foregroundFailed: (self, { text }) => line(self, 'ERROR', `setting foreground process failed: ${text}`),
};
