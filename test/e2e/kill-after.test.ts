/** --kill-after. */
import t from 'tap';
import { received, sh } from '../helpers/features.ts';
import { asPid1, firstChild, OURS, start, waitUntil } from '../helpers/processes.ts';

t.test('--kill-after: a command that outlives TERM is killed', async (t) => {
  const running = start(OURS, sh('--kill-after', '50ms', 'trap "" TERM; echo ready; while :; do sleep 0.01; done'));
  await running.prints('ready');
  running.signal('SIGTERM');
  t.equal((await running.ended).status, 128 + 9);
});

t.test('--kill-after with --wait-all: who escaped to another session and ignores TERM is killed', async (t) => {
  const script = `setsid sh -c 'trap "" TERM; echo ready; while :; do sleep 0.01; done' & read line; exit 7`;
  const running = start(OURS, sh('--wait-all', '--kill-after=50ms', '--log-exit', script), { interactive: true });
  await running.prints('ready');
  running.write('\n');
  const { status, stderr } = await running.ended;
  t.equal(status, 7);
  t.match(stderr, /^\[dumb-init\] Exiting with status 7: .*; time was up and SIGKILL sent\.$/m);
});

t.test('--kill-after as PID 1: nobody of the namespace is left', async (t) => {
  const script = `setsid sh -c 'trap "" TERM; echo ready; while :; do sleep 0.01; done' & read line; exit 7`;
  const options = ['--wait-all', '--kill-after=50ms'];
  const running = asPid1([OURS, ...sh(...options, script)], { interactive: true });
  await running.prints('ready');
  running.write('\n');
  t.equal((await running.ended).status, 7);
});

t.test('--kill-after: a command that obeys TERM ends as ever, and nobody waits for the time', async (t) => {
  t.strictSame(await received(['--kill-after', '2m'], [15]), { status: 0, stderr: '', got: [15] });
});

const DEAF = 'trap "" TERM QUIT; echo ready; while :; do sleep 0.01; done';

for (const [what, options, signal] of [
  ['a signal that is rewritten to TERM', ['--rewrite', 'PWR:TERM', '--kill-after', '50ms'], 'SIGPWR'],
  ['an INT that is rewritten to TERM', ['--rewrite', 'INT:TERM', '--kill-after', '50ms'], 'SIGINT'],
  ['a signal that is named', ['--kill-after', 'QUIT=50ms'], 'SIGQUIT'],
  ['one of several that are named', ['--kill-after', 'HUP,QUIT=50ms'], 'SIGQUIT'],
  ['a TERM, though another is named', ['--kill-after', 'QUIT=50ms'], 'SIGTERM'],
  ['a signal that becomes one that is named', ['--rewrite', 'TERM:QUIT', '--kill-after', 'QUIT=50ms'], 'SIGTERM'],
] as const) {
  t.test(`--kill-after: the time begins with ${what}`, async (t) => {
    const running = start(OURS, sh(...options, DEAF));
    await running.prints('ready');
    running.signal(signal);
    t.equal((await running.ended).status, 128 + 9);
  });
}

t.test('--kill-after: every one of a crowd that is deaf to TERM is killed, though it is not PID 1', async (t) => {
  const script = `for i in $(seq 200); do setsid sh -c '${DEAF}' & done; read line; exit 7`;
  const running = start(OURS, sh('--wait-all', '--kill-after=50ms', script), { interactive: true });
  await waitUntil(() => running.stdout().split('ready').length > 200, 'all to be ready');
  running.write('\n');
  t.equal((await running.ended).status, 7);
});

t.test('--kill-after in a /proc of another PID namespace: the command is killed, and not the init', async (t) => {
  // Not PID 1 of the namespace, whose PIDs are others in this /proc.
  const words = ['--pid', '--fork', '--kill-child', 'sh', '-c', `"$@" & wait $!`, 'sh', OURS];
  const running = start('unshare', [...words, ...sh('--wait-all', '--kill-after', '50ms', DEAF)]);
  await running.prints('ready');
  const shell = firstChild(running.pid);
  process.kill(firstChild(shell), 'SIGTERM');
  t.equal((await running.ended).status, 128 + 9);
});
