/** What is inherited from a caller, or left to it: --subreaper, --parent-death-signal, --keep-ignored, --no-tty-handoff. */
import t from 'tap';
import { sh } from '../helpers/features.ts';
import { childrenOf, fixture, OURS, processState, readProc, run, start, waitUntil } from '../helpers/processes.ts';
import { startOnTerminal } from '../helpers/terminal.ts';

const firstNumber = (text: string) => Number(/^\d+$/m.exec(text)?.[0]);

t.test('--subreaper: orphans become children and are reaped, although it is not PID 1', async (t) => {
  const script = `sh -c '${fixture('signals')} 1 & echo $!'; read line; exit 7`;
  const running = start(OURS, sh('--subreaper', '--warn-zombies', script), { interactive: true });
  await running.prints(/^\d+$/m);
  await running.prints('ready');
  const orphan = firstNumber(running.stdout());
  await waitUntil(() => childrenOf(running.pid).includes(orphan), 'the orphan to be ours');
  process.kill(orphan, 'SIGTERM');
  await waitUntil(() => processState(orphan) === '', 'the orphan to be reaped');
  running.write('\n');
  const { status, stderr } = await running.ended;
  t.equal(status, 7);
  t.match(
    stderr,
    new RegExp(
      `^\\[dumb-init\\] Reaped orphan ${orphan} \\(signals\\), of process group \\d+ in session \\d+: it exited with status 0\\.\\n$`,
    ),
  );
});

t.test('--parent-death-signal: the end of the parent is a signal, and forwarded', async (t) => {
  const script = `${OURS} --parent-death-signal=HUP ${fixture('signals')} 1 & read line`;
  const running = start('sh', ['-c', script], { interactive: true });
  await running.prints('ready');
  running.write('\n');
  t.equal((await running.ended).stdout, 'ready\n1\n');
});

t.test('--keep-ignored: what nohup ignores stays ignored, and a blocked signal blocked', async (t) => {
  const found = async (...options: string[]) => {
    const words = [
      'ignore=1',
      'ignore=13',
      'ignore=17',
      'block=10',
      '--',
      OURS,
      ...options,
      '/bin/cat',
      '/proc/self/status',
    ];
    return (await run(fixture('situation'), words)).stdout.match(/(?<=^Sig(Blk|Ign):\t)\w+/gm);
  };
  t.strictSame(await found(), ['0000000000000000', '0000000000000000']);
  // CHLD is not kept: who ignores it can't wait for its children.
  t.strictSame(await found('--keep-ignored'), ['0000000000000200', '0000000000001001']);
});

t.test('--no-tty-handoff: the terminal stays ours, and no signal is swallowed for it', async (t) => {
  /** Whether a process has a controlling terminal (proc_pid_stat(5), tty_nr). */
  const hasTerminal = (pid: number) => readProc(`${pid}/stat`).replace(/.*\) /, '').split(' ')[4] !== '0';
  for (const [options, ours] of [
    [[], false],
    [['--no-tty-handoff'], true],
  ] as const) {
    const running = startOnTerminal('leader', [OURS, ...options, fixture('signals'), '2']);
    await running.prints('ready');
    const init = running.command();
    const [child = 0] = childrenOf(init);
    t.strictSame([hasTerminal(init), hasTerminal(child)], [ours, !ours]);
    process.kill(init, 'SIGHUP');
    await running.prints(/^1\r?$/m);
    process.kill(init, 'SIGCONT');
    t.equal((await running.ended).status, 0);
  }
});

t.test('--parent-death-signal: a parent that ends before the init has asked for the signal is noticed', async (t) => {
  // strace holds the init up before its request, until the shell that started it has ended.
  const traced = ['strace', '-D', '-o', '/dev/null', '--trace=prctl', '--inject=prctl:delay_enter=1000000'];
  const words = [...traced, OURS, '-v', '--parent-death-signal', 'USR1', 'sleep', '1000'];
  const running = start('sh', ['-c', '"$@" & read line; exit', 'sh', ...words], { interactive: true });
  await waitUntil(() => childrenOf(running.pid).some((pid) => readProc(`${pid}/comm`) === 'dumb-init\n'), 'the init');
  running.write('\n');
  t.match((await running.ended).stderr, /^\[dumb-init\] Received signal 10\.$/m);
});
