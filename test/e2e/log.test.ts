/** --signal-names, --log-format and --log-exit. */
import t from 'tap';
import { received, sh } from '../helpers/features.ts';
import { OURS, run } from '../helpers/processes.ts';

t.test('--signal-names puts names beside the numbers in debug lines', async (t) => {
  const { stderr } = await received(['-v', '--signal-names', '-r', 'TERM:QUIT'], [15]);
  t.match(
    stderr,
    '[dumb-init] Received signal 15 (SIGTERM).\n[dumb-init] Translating signal 15 (SIGTERM) to 3 (SIGQUIT).\n',
  );
});

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
