/** The floor of forwarding: two calls to libc for each signal, and nothing between them. `forwarder -- COMMAND…` */
import { handover } from '../../src/libc/handover.ts';
import { close, exit, kill } from '../../src/libc/process.ts';
import { argumentsFrom, argumentWords, environmentAddress, environmentVariable } from '../../src/libc/process-image.ts';
import { nextSignal } from '../../src/libc/signal-source.ts';
import { spawn } from '../../src/libc/spawn.ts';
import { SIGCHLD } from '../../src/signals.ts';

const COMMAND = 2;
handover.memfds.forEach(close);
const words = argumentWords();
const child = spawn({
  file: words[COMMAND] ?? '',
  argv: argumentsFrom(COMMAND),
  argc: words.length - COMMAND,
  envp: environmentAddress,
  path: environmentVariable('PATH'),
  terminal: { kind: 'none', errno: 0 },
  group: undefined,
  blocked: [],
  keepIgnored: false,
});
if (child.kind !== 'running') exit(1);
for (;;) {
  const signal = nextSignal();
  if (signal?.n === SIGCHLD) exit(0);
  if (signal) kill(-child.pid, signal.n);
}
