/** A log that nobody reads stops nothing. */
import t from 'tap';
import { asPid1, firstChild, fixture, isSettled, OURS, processState, start, waitUntil } from '../helpers/processes.ts';
import { printsSignals } from '../helpers/signals.ts';
import { startOnTerminal } from '../helpers/terminal.ts';

/** Runs a command whose standard error is a pipe that is full until the shell gets a line, and then is read. */
const FULL_PIPE = `exec 3<&0; { "$@" 2>&1 >&4 4>&- | { read line <&3; exec cat >&2; }; } 4>&1`;

/** dumb-init whose log is such a pipe, and more signals than it has room for. */
async function startUnread(...options: string[]) {
  const words = [OURS, '-v', '-r', 'USR1:0', ...options, fixture('signals'), '1'];
  const running = start('sh', ['-c', FULL_PIPE, 'sh', ...words], { interactive: true });
  await running.prints('ready');
  const pid = firstChild(running.pid, 'dumb-init');
  for (let left = 700; left > 0; left--) {
    process.kill(pid, 'SIGUSR1');
    await waitUntil(() => isSettled(pid), 'the signal to be taken');
  }
  return { running, pid };
}

for (const format of [[], ['--log-format', 'json'], ['--log-format', 'text']]) {
  t.test(
    `${['-v', ...format].join(' ')}, standard error a full pipe: a TERM is forwarded, and the end comes`,
    async (t) => {
      const { running, pid } = await startUnread(...format);
      process.kill(pid, 'SIGTERM');
      await running.prints('15');
      await waitUntil(() => processState(pid) !== 'S', 'the end, though nobody reads');
      running.write('\n');
      const { status, stderr } = await running.ended;
      t.equal(status, 0);
      t.match(stderr, 'Received signal 10.');
    },
  );
}

t.test('what could not be written is counted, and said before the next line that can be', async (t) => {
  const { running, pid } = await startUnread();
  running.write('\n'); // from now on it is read
  await waitUntil(() => running.stderr().length > 60_000, 'what the pipe held');
  process.kill(pid, 'SIGTERM');
  await running.ended;
  t.match(
    running.stderr(),
    /\n\[dumb-init\] Dropped \d+ lines that nobody read\.\n\[dumb-init\] Received signal 15\.\n/,
  );
});

t.test('with -v on a terminal that is stopped (Ctrl-S), signals are forwarded', async (t) => {
  const running = startOnTerminal('free', ['sh', '-c', `stty ixon; exec ${OURS} -vc ${fixture('signals')} 2`]);
  await running.prints('ready');
  running.write('\x13');
  const pid = () => firstChild(running.pid, 'dumb-init');
  await waitUntil(() => isSettled(pid()), 'the wait for signals');
  process.kill(pid(), 'SIGUSR1');
  await waitUntil(() => isSettled(pid()), 'the signal to be taken');
  running.write('\x11');
  await printsSignals(running, [10]);
  process.kill(pid(), 'SIGUSR2');
  t.equal((await running.ended).status, 0);
});

t.test('a process cannot forge a line by its name', async (t) => {
  const name = `bytes([${[...Buffer.from('a\n\x1b[31mb\\')]}])`;
  const python = `import ctypes; ctypes.CDLL(None).prctl(15, ${name}, 0, 0, 0); print('named', flush=True); input()`;
  const script = `exec 3<&0; (python3 -c "${python}" <&3 &); exec ${fixture('signals')} 1`;
  for (const format of [[], ['--log-format', 'json']]) {
    const running = asPid1([OURS, '--warn-zombies', ...format, 'sh', '-c', script], { interactive: true });
    await running.prints('named');
    running.write('\n');
    await waitUntil(() => running.stderr().includes('[31mb'), running.stderr);
    process.kill(firstChild(running.pid), 'SIGTERM');
    const { stderr } = await running.ended;
    const lines = stderr.split('\n').filter(Boolean);
    const said = format.length > 0 ? lines.map((line) => `[dumb-init] ${JSON.parse(line).message}`) : lines;
    for (const line of said) t.match(line, /^\[dumb-init\] Reaped orphan \d+ \([ -~]*\), of process group/);
    t.match(said.join('\n'), '(a\\x0a\\x1b[31mb\\\\)');
  }
});
