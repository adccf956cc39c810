/** --signal-names, --log-format and --log-exit. */
import t from 'tap';
import { received, sh } from '../helpers/features.ts';
import { entriesOf } from '../helpers/log-schema.ts';
import { OURS, run } from '../helpers/processes.ts';

t.test('--signal-names puts names beside the numbers in debug lines', async (t) => {
  const { stderr } = await received(['-v', '--signal-names', '-r', 'TERM:QUIT'], [15]);
  t.match(
    stderr,
    '[dumb-init] Received signal 15 (SIGTERM).\n[dumb-init] Translating signal 15 (SIGTERM) to 3 (SIGQUIT).\n',
  );
});

t.test('--log-format=json: each line is an object that says what happened in fields', async (t) => {
  const options = ['-v', '--log-exit', '--log-format=json', '--map-exit=3:0'];
  const { stderr, status } = await run(OURS, sh(...options, 'exit 3'));
  t.equal(status, 0);
  const entries = entriesOf(stderr);
  for (const { time } of entries) t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  t.match(entries, [
    ...[{ event: 'detach_failed', errno: 25 }, { event: 'attach_failed' }, { event: 'session_started' }],
    ...[{ event: 'command_started', child_pid: Number, command: 'sh' }],
    ...[
      { event: 'signal_received', signal: 17, signal_name: 'SIGCHLD' },
      { event: 'reaped', status: 3 },
    ],
    ...[{ event: 'signal_forwarded', signal: 15 }],
    { event: 'command_ended', status: 3, message: 'Child exited with status 3. Goodbye.' },
    { event: 'exiting', status: 0, command_status: 3 },
  ]);
});

t.test('--log-format=json: a command whose name is no UTF-8 does not break the JSON', async (t) => {
  const { stderr } = await run('sh', ['-c', `exec ${OURS} --log-format=json "$(printf '\\377"\\\\')"`]);
  t.match(entriesOf(stderr), [
    { event: 'exec_failed', command: '\ufffd"\\', message: '\ufffd"\\: No such file or directory', errno: 2 },
  ]);
});

t.test('--log-format=json: a mistake is an object too, wherever the format is asked for', async (t) => {
  const json = { DUMB_INIT_LOG_FORMAT: 'json' };
  const lines: [words: string[], env?: Record<string, string>][] = [
    [['--yolo'], json],
    [['-r', '99:1', 'true'], json],
    [[], json],
    [['true'], { ...json, DUMB_INIT_DELAY: 'never' }],
    [['--log-format=json']],
    [['--log-format', 'json', '-z', 'true']],
    [['-z', '--kill-after', 'soon', '--log-format=json', 'true']],
    [['--log-format=json', '--pause', 'true']],
    [['--log-format=json', '--log-format=xml', 'true']],
  ];
  for (const [words, env] of lines) {
    const { status, stdout, stderr } = await run(OURS, words, { env: { PATH: '/bin', ...env } });
    t.strictSame({ status, stdout }, { status: 1, stdout: '' });
    t.match(entriesOf(stderr), [{ event: 'usage_error', status: 1 }], words.join(' '));
  }
  const plain = await run(OURS, ['-z', 'true', '--log-format=json']);
  t.match(plain.stderr, /^\S*dumb-init: invalid option -- 'z'\n$/, 'the words of the command ask for nothing');
});

t.test('--log-format=text: a mistake has the time before each of its lines', async (t) => {
  const { stderr } = await run(OURS, ['--log-format=text']);
  for (const line of stderr.trimEnd().split('\n')) t.match(line, /^\d{4}-\d\d-\d\dT[\d:.]{12}Z [UT]/);
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
