/**
 * The floor: the least that an init does, frozen in place of src/run.ts. It starts the command, makes two calls
 * to libc for each signal, and has nothing between them. `forwarder -- COMMAND…`
 */
import { kill } from '../../src/libc/children.ts';
import { argumentsFrom, processImage } from '../../src/libc/process-image.ts';
import { exit } from '../../src/libc/self.ts';
import { nextSignal } from '../../src/libc/signal-source.ts';
import { spawn } from '../../src/libc/spawn.ts';
import { SIGCHLD } from '../../src/signals.ts';

const COMMAND = 2;

export function run(): never {
  const { words, environment } = processImage();
  const child = spawn({
    file: words[COMMAND] ?? '',
    argv: argumentsFrom(COMMAND),
    argc: words.length - COMMAND,
    path: environment('PATH'),
    session: 'own',
    foreground: undefined,
    noTerminal: [],
    blocked: [],
    keepIgnored: false,
    passesListenPid: false,
    statuses: { notFound: 127, denied: 126, other: 1 },
  });
  if (typeof child === 'number') exit(1);
  for (;;) {
    const signal = nextSignal();
    if (signal?.n === SIGCHLD) exit(0);
    if (signal) kill(-child.pid, signal.n);
  }
}
