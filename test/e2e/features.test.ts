/** What dumb-init does beyond 1.2.5, on request. */
import t from 'tap';
import { NEW_MEANINGS } from '../helpers/command-lines.ts';
import {
  asPid1,
  childrenOf,
  fixture,
  isSettled,
  OURS,
  processState,
  processStatus,
  readProc,
  run,
  start,
  waitUntil,
} from '../helpers/processes.ts';
import { startOnTerminal } from '../helpers/terminal.ts';

const sh = (...words: string[]) => [...words.slice(0, -1), 'sh', '-c', words.at(-1) ?? ''];

/** dumb-init with the command `signals`, which tells of each signal and ends after so many. */
async function startSignals(count: number, ...options: string[]) {
  const running = start(OURS, [...options, fixture('signals'), String(count)]);
  await running.prints('ready');
  return running;
}

/** Takes signals, in the order that they are sent in, and tells what the command got. */
async function received(options: string[], sent: number[], count = sent.length) {
  const running = await startSignals(count, ...options);
  for (const [i, n] of sent.entries()) {
    running.signal(n);
    if (i < count - 1) await waitUntil(() => running.stdout().split('\n').length > i + 2, `signal ${i}`);
  }
  const { status, stdout, stderr } = await running.ended;
  return { status, stderr, got: stdout.split('\n').slice(1, -1).map(Number) };
}

// --- names ---------------------------------------------------------------------------------------

const rewrites: [argument: string, sent: number, got: number][] = [
  ['TERM:QUIT', 15, 3],
  ['SIGTERM:SIGQUIT', 15, 3],
  ['sigterm:quit', 15, 3],
  ['15:QUIT', 15, 3],
  ['RTMIN+3:TERM', 37, 15],
  ['TERM:RTMIN+3', 15, 37],
  ['RTMAX:RTMAX-1', 64, 63],
  ['64:3', 64, 3],
  ['HUP:INT,TERM:QUIT', 15, 3],
  ['15:3,1:2', 1, 2],
  ['15:3junk', 15, 3],
];

for (const [argument, sent, got] of rewrites) {
  t.test(`--rewrite ${argument}: ${sent} arrives as ${got}`, async (t) => {
    t.strictSame(await received(['--rewrite', argument], [sent]), { status: 0, stderr: '', got: [got] });
  });
}

t.test('a rewrite that means something here only is no error', async (t) => {
  for (const argument of NEW_MEANINGS) t.equal((await run(OURS, ['-r', argument, 'true'])).status, 0, argument);
});

t.test('--list-signals names what --rewrite takes', async (t) => {
  const { status, stderr } = await run(OURS, ['--list-signals']);
  t.equal(status, 0);
  const lines = stderr.trimEnd().split('\n');
  t.equal(lines.length, 62);
  t.match(stderr, /^ 1 SIGHUP$/m);
  t.match(stderr, /^37 SIGRTMIN\+3$/m);
});

t.test('--signal-names puts names beside the numbers in debug lines', async (t) => {
  const { stderr } = await received(['-v', '--signal-names', '-r', 'TERM:QUIT'], [15]);
  t.match(
    stderr,
    '[dumb-init] Received signal 15 (SIGTERM).\n[dumb-init] Translating signal 15 (SIGTERM) to 3 (SIGQUIT).\n',
  );
});

// --- waiting, forcing, delaying -------------------------------------------------------------------

const firstNumber = (text: string) => Number(/^\d+$/m.exec(text)?.[0]);

t.test('--wait-all: TERM to who is left, other sessions included, and the status is that of the command', async (t) => {
  const script = `setsid sh -c 'trap "echo told; exit" TERM; echo ready; while :; do sleep 0.01; done' & read line; exit 7`;
  const running = start(OURS, sh('--wait-all', script), { interactive: true });
  await running.prints('ready');
  running.write('\n');
  const { status, stdout } = await running.ended;
  t.equal(stdout, 'ready\ntold\n');
  t.equal(status, 7);
});

t.test('--wait-all: it does not exit while a descendant is there, and signals go to it', async (t) => {
  const script = `setsid ${fixture('signals')} 2 & read line; exit 7`;
  const running = start(OURS, sh('--wait-all', script), { interactive: true });
  await running.prints('ready');
  const [shell = 0] = childrenOf(running.pid);
  running.write('\n');
  await running.prints('\n15\n');
  await waitUntil(() => processState(shell) === '', 'the command to be reaped');
  running.signal('SIGHUP');
  t.strictSame(await running.ended, { status: 7, stdout: 'ready\n15\n1\n', stderr: '' });
});

t.test('without --wait-all it exits with the command', async (t) => {
  const running = start(OURS, sh(`setsid ${fixture('signals')} 1 & read line; exit 7`), { interactive: true });
  await running.prints('ready');
  const [shell = 0] = childrenOf(running.pid);
  const [escaped = 0] = childrenOf(shell);
  running.write('\n');
  await waitUntil(() => /^Z?$/.test(processState(running.pid)), 'the end');
  t.equal(processState(escaped), 'S');
  process.kill(escaped, 'SIGKILL');
  t.equal((await running.ended).status, 7);
});

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

t.test('--delay: the signal comes later than one that was sent after it', async (t) => {
  const options = ['--delay', 'TERM=300ms', '-v'];
  const running = await startSignals(2, ...options);
  running.signal('SIGTERM');
  await waitUntil(() => running.stderr().includes('Holding back signal 15 for 300 ms.'), 'the delay');
  running.signal('SIGHUP');
  const { stdout, status } = await running.ended;
  t.equal(stdout, 'ready\n1\n15\n');
  t.equal(status, 0);
});

t.test('--delay and --rewrite: the signal is held back by the name that it came by', async (t) => {
  t.strictSame((await received(['--delay', 'TERM=1ms,INT=1ms', '-r', 'TERM:QUIT'], [15, 2])).got, [3, 2]);
});

t.test('a timer costs no wake-up: while it runs, and nothing happens, the process does not run', async (t) => {
  const running = await startSignals(2, '--delay', 'TERM=2m', '-v');
  running.signal('SIGTERM');
  await waitUntil(() => running.stderr().includes('Holding back'), 'the delay');
  const switches = () => processStatus(`${running.pid}/task/${running.pid}`, 'voluntary_ctxt_switches');
  await waitUntil(() => processState(running.pid) === 'S', 'it to wait');
  const before = switches();
  const other = await run('sleep', ['0.3']); // longer than any tick would be
  t.equal(other.status, 0);
  t.equal(switches(), before);
  running.signal('SIGHUP');
  running.signal('SIGINT');
  t.equal((await running.ended).status, 0);
});

// --- statuses -------------------------------------------------------------------------------------

t.test('--map-exit maps the status of the command, and no other', async (t) => {
  const status = async (end: string, ...options: string[]) => (await run(OURS, sh(...options, end))).status;
  t.equal(await status('kill -TERM $$', '--map-exit', '143:0'), 0);
  t.equal(await status('exit 3', '--map-exit', '143:0,3:4', '--map-exit=4:5'), 4);
  t.equal(await status('exit 5', '--map-exit', '143:0,3:4'), 5);
});

t.test('--exec-status: 127 for a command that is not found, 126 for one that cannot be executed', async (t) => {
  const end = async (...words: string[]) => (await run(OURS, words)).status;
  t.equal(await end('--exec-status', 'no-such-command'), 127);
  t.equal(await end('--exec-status', '/etc/passwd'), 126);
  t.equal(await end('no-such-command'), 2);
});

// --- parents, terminals, dispositions -------------------------------------------------------------

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

t.test('--pause: orphans are reaped until TERM or INT, then it ends with status 0', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const running = start(OURS, ['--pause', '--log-exit']);
    await waitUntil(() => isSettled(running.pid), 'the wait for signals');
    running.signal('SIGHUP');
    running.signal(signal);
    const { status, stderr } = await running.ended;
    t.equal(status, 0);
    t.match(stderr, `[dumb-init] Exiting with status 0: pausing is over; the last signal was signal`);
  }
});

t.test('--pause reaps: started by a shell that becomes it, it takes over the children', async (t) => {
  const running = start('sh', ['-c', `${fixture('signals')} 1 & exec ${OURS} --pause`]);
  await running.prints('ready');
  await waitUntil(() => readProc(`${running.pid}/comm`) === 'dumb-init\n', 'dumb-init');
  const [child = 0] = childrenOf(running.pid);
  process.kill(child, 'SIGTERM');
  await waitUntil(() => processState(child) === '', 'the child to be reaped');
  running.signal('SIGTERM');
  t.equal((await running.ended).status, 0);
});

// --- seeing ---------------------------------------------------------------------------------------

t.test('--log-format=json: each line is an object with the time and the message', async (t) => {
  const { stderr } = await run(OURS, sh('-v', '--log-format=json', 'exit 3'));
  const entries = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  for (const { time, program } of entries) {
    t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    t.equal(program, 'dumb-init');
  }
  t.equal(entries.at(-1).message, 'Child exited with status 3. Goodbye.');
});

t.test('--log-format=json: a command whose name is no UTF-8 does not break the JSON', async (t) => {
  const { stderr } = await run('sh', ['-c', `exec ${OURS} --log-format=json "$(printf '\\377"\\\\')"`]);
  t.equal(JSON.parse(stderr).message, '\ufffd"\\: No such file or directory'.replace('\ufffd', 'ï¿½'));
});

t.test('--log-format=text: each line has the time before it', async (t) => {
  const { stderr } = await run(OURS, sh('-v', '--log-format=text', 'exit 3'));
  for (const line of stderr.trimEnd().split('\n')) t.match(line, /^\d{4}-\d\d-\d\dT[\d:.]{12}Z \[dumb-init\] /);
});

t.test('--log-exit: the line says why', async (t) => {
  const why = async (script: string, ...options: string[]) =>
    (await run(OURS, sh('--log-exit', ...options, script))).stderr;
  t.match(
    await why('exit 3'),
    /^\[dumb-init\] Exiting with status 3: the command \(PID \d+\) exited with status 3\.\n$/,
  );
  t.match(
    await why('kill -TERM $$', '--map-exit=143:0'),
    /^\[dumb-init\] Exiting with status 0: .* was terminated by signal 15 \(SIGTERM\); status 143 is mapped to 0\.\n$/,
  );
});

t.test('--explain: the signal table is the effective one, and nothing is run', async (t) => {
  const options = ['--explain', '-r', 'TERM:QUIT,HUP:0', '--delay', 'USR1=2s'];
  const { status, stdout, stderr } = await run(OURS, sh(...options, 'echo run'));
  t.equal(status, 0);
  t.equal(stdout, '');
  t.match(stderr, /^process +PID \d+: orphans go to another process/m);
  t.match(stderr, /^ +15 SIGTERM +SIGQUIT goes to the process group of the command$/m);
  t.match(stderr, /^ +1 SIGHUP +nothing$/m);
  t.match(stderr, /^ +10 SIGUSR1 +after 2000 ms it goes to the process group of the command$/m);
  t.match(stderr, /^ +20 SIGTSTP +SIGSTOP goes to the process group of the command, then dumb-init stops itself$/m);
});

// --- variables and mistakes -----------------------------------------------------------------------

t.test('variables do what options do, and options have the last word', async (t) => {
  const env = {
    PATH: '/usr/bin:/bin',
    DUMB_INIT_MAP_EXIT: '3:4,5:6',
    DUMB_INIT_EXEC_STATUS: '1',
    DUMB_INIT_LOG_EXIT: '0',
  };
  t.strictSame(await run(OURS, sh('exit 3'), { env }), { status: 4, stdout: '', stderr: '' });
  t.equal((await run(OURS, sh('--map-exit=3:5', 'exit 3'), { env })).status, 5);
  t.equal((await run(OURS, sh('--map-exit=3:5', 'exit 5'), { env })).status, 6);
  t.equal((await run(OURS, ['no-such-command'], { env })).status, 127);
});

const TIME = 'a time such as 500ms, 10s or 2m';
const STATUSES = 'pairs of statuses from 0 to 255 such as 143:0 or 143:0,130:0';
const mistakes: [words: string[], env: Record<string, string>, text: string][] = [
  [['--kill-after', '10'], {}, `option '--kill-after' takes ${TIME}, not '10'`],
  [['--kill-after=1h'], {}, `option '--kill-after' takes ${TIME}, not '1h'`],
  [
    ['--delay', 'TERM'],
    {},
    "option '--delay' takes signals and times such as TERM=5s or TERM=5s,INT=500ms, not 'TERM'",
  ],
  [['--map-exit', '143:256'], {}, `option '--map-exit' takes ${STATUSES}, not '143:256'`],
  [
    ['--parent-death-signal=FOO'],
    {},
    "option '--parent-death-signal' takes a signal such as 15, TERM or RTMIN+3, not 'FOO'",
  ],
  [['--log-format', 'xml'], {}, "option '--log-format' takes text or json, not 'xml'"],
  [[], { DUMB_INIT_KILL_AFTER: 'x' }, `DUMB_INIT_KILL_AFTER takes ${TIME}, not 'x'`],
  [[], { DUMB_INIT_WAIT_ALL: 'yes' }, "DUMB_INIT_WAIT_ALL takes 1 or 0, not 'yes'"],
  [['--pause'], {}, 'with --pause there is no command'],
  [['--wait-al'], {}, "unrecognized option '--wait-al'"],
  [['--kill-after'], {}, `option '--kill-after' takes ${TIME}, not 'true'`],
  [['--pause=1'], {}, "option '--pause' doesn't allow an argument"],
];

for (const [words, env, text] of mistakes) {
  t.test(
    `a mistake is one line that shows what is right, status 1: ${[...words, JSON.stringify(env)].join(' ')}`,
    async (t) => {
      const result = await run(OURS, [...words, 'true'], {
        argv0: 'dumb-init',
        env: { PATH: '/usr/bin:/bin', ...env },
      });
      t.strictSame(result, { status: 1, stdout: '', stderr: `dumb-init: ${text}\n` });
    },
  );
}

t.test('--help is that of 1.2.5; --help-all has every option and variable', async (t) => {
  t.notMatch((await run(OURS, ['--help'])).stderr, '--wait-all');
  const { status, stderr } = await run(OURS, ['--help-all']);
  t.equal(status, 0);
  for (const word of ['--single-child', '--wait-all', 'DUMB_INIT_KILL_AFTER', '--explain']) t.match(stderr, word);
});
