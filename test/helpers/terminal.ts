/** Commands on a pseudo terminal (test/fixtures/pty.c). */
import { firstChild, fixture, type Options, type Running, start } from './processes.ts';

/** How a command stands to the terminal on its standard input; pty.c tells what each means. */
export type Relation = 'leader' | 'readonly' | 'background' | 'member' | 'foreign' | 'free';

export interface OnTerminal extends Running {
  /** The PID of the command itself. */
  command(): number;
  type(keys: string): void;
  /** Makes the window one row higher. */
  resize(): void;
  hangUp(): void;
}

const WITHOUT_PERMISSION = 'chmod 0 /proc/self/fd/0; exec setpriv --bounding-set=-dac_override,-dac_read_search "$@"';

/** Before a command: it may not open the terminal on its standard input again, as if that were another user's. */
export const ANOTHER_USERS = ['sh', '-c', WITHOUT_PERMISSION, 'sh'] as const;

/** Starts a command on a terminal; what is written to the terminal comes with its standard output. */
export function startOnTerminal(relation: Relation, command: readonly string[], options: Options = {}): OnTerminal {
  const running = start(fixture('pty'), [relation, ...command], { ...options, interactive: true });
  return {
    ...running,
    command: () => {
      const first = firstChild(running.pid);
      return relation === 'member' || relation === 'foreign' ? firstChild(first) : first;
    },
    type: running.write,
    resize: () => running.signal('SIGUSR1'),
    hangUp: running.endInput,
  };
}
