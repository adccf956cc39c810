/**
 * Faults of dumb-init 1.2.5 that ours does not have. Where 1.2.5 shows its fault each time, that is
 * tested too. The one that only shows in what is not sent (with -c, a TERM to a PID that is anybody's
 * by then) is in test/unit/decide.test.ts.
 */
import { readFileSync, rmSync } from 'node:fs';
import t from 'tap';
import {
  childrenOf,
  firstChild,
  LIMIT_MS,
  ORACLE,
  OURS,
  processState,
  processStatus,
  type Running,
  start,
  waitUntil,
} from '../helpers/processes.ts';
import { CONT, HUP, INT, PIPE, printedSignals, printsSignals, SIGNALS, USR1 } from '../helpers/signals.ts';
import { startOnTerminal } from '../helpers/terminal.ts';

const [FIRST_REAL_TIME, LAST_REAL_TIME] = [34, 64];

t.test('real-time signals are forwarded to the last (1.2.5 looks them up beyond the end of its table)', async (t) => {
  const all = Array.from({ length: LAST_REAL_TIME - FIRST_REAL_TIME + 1 }, (_, i) => FIRST_REAL_TIME + i);
  const init = start(OURS, [SIGNALS, String(all.length)]);
  await init.prints('ready\n');
  for (const [i, n] of all.entries()) {
    init.signal(n);
    await printsSignals(init, all.slice(0, i + 1));
  }
  t.equal((await init.ended).status, 0);
});

/** Starts `PROGRAM -v signals COUNT`, and breaks the pipe that is its standard error. */
async function startWithBrokenPipe(program: string, count: number) {
  const shell = start('sh', ['-c', `exec 3>&1; ${program} -v ${SIGNALS} ${count} 2>&1 1>&3 3>&- | cat > /dev/null`]);
  await shell.prints('ready\n');
  const reader = firstChild(shell.pid, 'cat');
  process.kill(reader, 'SIGKILL');
  await waitUntil(() => processState(reader) === '' || processState(reader) === 'Z', 'the reader to end');
  return { shell, init: firstChild(shell.pid, 'dumb-init') };
}

t.test('-v with standard error a broken pipe: lines are dropped, and the work goes on', async (t) => {
  const { shell, init } = await startWithBrokenPipe(OURS, 2);
  process.kill(init, USR1);
  await printsSignals(shell, [USR1]);
  process.kill(init, LAST_REAL_TIME);
  await printsSignals(shell, [USR1, LAST_REAL_TIME]);
  await shell.ended;
  t.strictSame(printedSignals(shell), [USR1, LAST_REAL_TIME]);
});

t.test('1.2.5: -v with standard error a broken pipe forwards a PIPE for each line, for ever', async (t) => {
  const { shell, init } = await startWithBrokenPipe(ORACLE, 1000);
  const command = firstChild(init);
  process.kill(init, USR1);
  await waitUntil(() => processState(command) === 'Z', 'the command to end unnoticed');
  process.kill(init, 'SIGKILL');
  await shell.ended;
  t.ok(printedSignals(shell).filter((n) => n === PIPE).length >= 999);
});

/** Starts `sleep`, which takes long to be found, and stops its process in the midst of the search. */
async function startSlowly(program: string): Promise<{ init: Running; command: number }> {
  for (;;) {
    const init = start(program, ['-v', 'sleep', '1000'], { env: { PATH: `${'x:'.repeat(65_000)}/bin` } });
    await waitUntil(() => childrenOf(init.pid).length > 0, 'the start of the child');
    const command = firstChild(init.pid);
    process.kill(command, 'SIGSTOP');
    await waitUntil(() => processState(command) === 'T', 'the child to stop');
    if (processStatus(command, 'Name') === 'dumb-init') return { init, command };
    process.kill(command, 'SIGKILL'); // it has been found before we looked: once more
    await init.ended;
  }
}

t.test('a signal between the start of the child and its exec is delivered', async (t) => {
  const { init, command } = await startSlowly(OURS);
  init.signal(USR1);
  t.equal(processStatus(command, 'Name'), 'dumb-init', 'the command does not run yet');
  process.kill(command, 'SIGCONT');
  t.equal((await init.ended).status, 128 + USR1);
});

t.test('1.2.5: a signal between the start of the child and its exec is eaten', async (t) => {
  const { init, command } = await startSlowly(ORACLE);
  init.signal(USR1);
  await waitUntil(() => init.stderr().includes('Forwarded signal 10'), init.stderr);
  process.kill(command, 'SIGCONT');
  await waitUntil(() => processStatus(command, 'Name') === 'sleep', 'the exec');
  init.signal(INT);
  t.equal((await init.ended).status, 128 + INT);
});

/** All signals but KILL and STOP: the first system call of the thaw has been. */
const ALL_BLOCKED = 'fffffffffffbfeff';

// [whose start, what comes before it on the command line]
const STARTS: [string, string][] = [
  ['dumb-init', ''],
  ['dumb-init as PID 1', 'unshare --pid --fork'],
];
const LOG = `build/test/start-under-fire-${process.pid}`;
t.teardown(() => rmSync(LOG, { force: true }));

/** Starts `[PREFIX] dumb-init -v signals`, and sends it a signal as often as it can until the command is ready. */
async function startUnderFire(prefix: string): Promise<{ running: Running; pid: number; sent: number }> {
  // Ignored, the signal can't kill the command before that has blocked it.
  // Its lines go to a file: a pipe might be full, and lines be dropped.
  const script = `trap "" ${LAST_REAL_TIME}; exec ${prefix} ${OURS} -v ${SIGNALS} 1000000 2>${LOG}`;
  const running = start('sh', ['-c', script]);
  const init = () => (prefix === '' ? running.pid : (childrenOf(running.pid)[0] ?? 0));
  let [pid, sent] = [0, 0];
  for (const end = Date.now() + LIMIT_MS; !running.stdout().includes('ready\n'); ) {
    if (Date.now() > end) throw new Error('waited in vain for signals to be blocked');
    if (pid === 0 && processStatus(init(), 'SigBlk') === ALL_BLOCKED) pid = init();
    for (let burst = pid === 0 ? 0 : 10; burst > 0; burst--, sent++) process.kill(pid, LAST_REAL_TIME);
    await new Promise(setImmediate); // waitUntil would miss the first instants
  }
  return { running, pid: init(), sent };
}

for (const [title, prefix] of STARTS) {
  t.test(`signals during the start of ${title} are held and forwarded`, async (t) => {
    for (let sent = 0; sent === 0; ) {
      const it = await startUnderFire(prefix);
      const { running, pid } = it;
      ({ sent } = it); // none if it was ready before we looked: once more
      const forwarded = () => readFileSync(LOG, 'utf8').split('Forwarded signal 64 ').length - 1;
      await waitUntil(
        () => forwarded() === sent,
        () => `${sent} signals: ${forwarded()} came`,
      );
      t.comment(`${sent} signals`);
      process.kill(firstChild(pid), 'SIGKILL');
      t.equal((await running.ended).status, 128 + 9);
    }
  });
}

/** Leads the session of a terminal whose foreground is another's: that one gets the HUP of the hand-off. */
async function startWithoutHandoff(program: string) {
  const terminal = startOnTerminal('background', [program, '-v', SIGNALS, '2']);
  await terminal.prints('ready\n');
  await waitUntil(() => terminal.stderr().includes('was terminated by signal 1.'), 'the HUP of the hand-off');
  return terminal;
}

t.test('where the HUP and the CONT of the hand-off never come, real ones are forwarded', async (t) => {
  const terminal = await startWithoutHandoff(OURS);
  process.kill(terminal.command(), HUP);
  await printsSignals(terminal, [HUP]);
  process.kill(terminal.command(), CONT);
  await printsSignals(terminal, [HUP, CONT]);
  t.equal((await terminal.ended).status, 0);
});

t.test('1.2.5: where the HUP and the CONT of the hand-off never come, the first real ones are swallowed', async (t) => {
  const terminal = await startWithoutHandoff(ORACLE);
  for (const n of [HUP, CONT]) {
    process.kill(terminal.command(), n);
    await waitUntil(() => terminal.stderr().includes(`Ignoring tty hand-off signal ${n}.`), terminal.stderr);
  }
  for (const n of [USR1, INT]) process.kill(terminal.command(), n);
  await terminal.ended;
  t.strictSame(printedSignals(terminal).sort(), [USR1, INT].sort());
});
