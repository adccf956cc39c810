/** Controlling terminals, as dumb-init 1.2.5 hands them on: each case runs on both, over a real pty. */
import t from 'tap';
import { debugLines } from '../helpers/parity.ts';
import { firstChild, ORACLE, OURS, processState, processStatus, readProc, waitUntil } from '../helpers/processes.ts';
import { CONT, HUP, INT, printsSignals, SIGNALS, TSTP, WINCH } from '../helpers/signals.ts';
import { ANOTHER_USERS, type OnTerminal, type Relation, startOnTerminal } from '../helpers/terminal.ts';

const PROGRAMS = [OURS, ORACLE];
/** Taken after all the others that are pending. */
const FENCE = 64;
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_Z = '\x1a';

/** Tells how the command stands to the terminal on its fd 0, writes to it, and ends with the first signal. */
const PROBE = `
  read pid name state parent group session terminal foreground rest < /proc/self/stat
  echo leads its session: $((session == pid)), has a terminal: $((terminal != 0)), in the foreground: $((foreground == group))
  sh -c 'echo written to the terminal > /dev/tty' 2> /dev/null
  exec ${SIGNALS} 1`;

// [a terminal that…, how dumb-init stands to it, what the command has of it with a session of its own]
const RELATIONS: [string, Relation, string][] = [
  ['controls the session that dumb-init leads', 'leader', 'yes'],
  ['controls the session that dumb-init leads, open for reading only', 'readonly', 'yes'],
  ['controls the session that dumb-init leads, in the background', 'background', 'yes'],
  ['controls a session that dumb-init does not lead', 'member', 'no'],
  ['controls another session', 'foreign', 'no'],
  ['controls no session', 'free', 'yes'],
];

/** Runs the probe under a program, and sends FENCE when all that comes of itself has come. */
async function probe(relation: Relation, command: readonly string[], came: readonly string[] = []) {
  const terminal = startOnTerminal(relation, [...command, 'sh', '-c', PROBE]);
  await terminal.prints('ready\n');
  for (const text of came) await waitUntil(() => terminal.stderr().includes(text), text);
  process.kill(terminal.command(), FENCE);
  const { status, stdout, stderr } = await terminal.ended;
  return { status, lines: stdout.split(/\r?\n/).sort(), debug: debugLines(stderr) };
}

for (const [title, relation, takes] of RELATIONS) {
  t.test(`a terminal that ${title}`, async (t) => {
    const came = relation === 'background' ? ['was terminated by signal 1.'] : [];
    const [ours, oracle] = await Promise.all(PROGRAMS.map((program) => probe(relation, [program, '-v'], came)));
    t.strictSame(ours, oracle);
    const has = takes === 'yes' ? 1 : 0;
    t.ok(ours?.lines.includes(`leads its session: 1, has a terminal: ${has}, in the foreground: ${has}`));
    t.equal(ours?.lines.includes('written to the terminal'), takes === 'yes');
  });

  t.test(`-c: a terminal that ${title} is left alone`, async (t) => {
    const [ours, oracle] = await Promise.all(PROGRAMS.map((program) => probe(relation, [program, '-vc'])));
    t.strictSame(ours, oracle);
    t.match(ours?.lines.join('\n'), 'leads its session: 0');
  });
}

t.test('the HUP and the CONT of the hand-off are swallowed once, later ones are forwarded', async (t) => {
  for (const program of PROGRAMS) {
    const terminal = startOnTerminal('leader', [program, '-v', SIGNALS, '4']);
    await terminal.prints('ready\n');
    await waitUntil(() => terminal.stderr().includes('Ignoring tty hand-off signal 18.'), terminal.stderr);
    const expected: number[] = [];
    for (const n of [HUP, CONT, HUP, CONT]) {
      process.kill(terminal.command(), n);
      await printsSignals(terminal, [...expected, n]);
      expected.push(n);
    }
    t.equal((await terminal.ended).status, 0, program);
  }
});

t.test(
  'Ctrl-C, Ctrl-Z and a change of the window reach the command, once each and not through dumb-init',
  async (t) => {
    const [ours, oracle] = await Promise.all(
      PROGRAMS.map(async (program) => {
        const terminal = startOnTerminal('leader', [program, '-v', SIGNALS, '4']);
        await terminal.prints('ready\n');
        terminal.type(CTRL_C);
        await printsSignals(terminal, [INT]);
        terminal.type(CTRL_Z);
        await printsSignals(terminal, [INT, TSTP]);
        terminal.resize();
        await printsSignals(terminal, [INT, TSTP, WINCH]);
        t.equal(processState(terminal.command()), 'S', program);
        process.kill(terminal.command(), FENCE);
        return terminal.ended;
      }),
    );
    t.equal(ours?.status, 0);
    t.strictSame(debugLines(ours?.stderr ?? ''), debugLines(oracle?.stderr ?? ''));
  },
);

t.test('when the terminal hangs up, the command gets the HUP and the CONT that a session leader gets', async (t) => {
  for (const program of PROGRAMS) {
    const terminal = startOnTerminal('leader', [program, SIGNALS, '2']);
    await terminal.prints('ready\n');
    terminal.hangUp();
    await printsSignals(terminal, [HUP, CONT]);
    t.equal((await terminal.ended).status, 0, program);
  }
});

/** bash looks for its terminal on standard error when it is not interactive. */
const BASH = 'exec bash -m -c "$0" 2> /dev/tty';

t.test('job control works in a shell: Ctrl-Z stops the foreground job, fg resumes it, Ctrl-C ends it', async (t) => {
  const script = `
    ${SIGNALS} 1; echo first: $?
    cat; echo second: $?
    fg > /dev/null; echo third: $?
    sleep 1000`;
  const [ours, oracle] = await Promise.all(
    PROGRAMS.map(async (program) => {
      const terminal = startOnTerminal('leader', [program, '-v', 'sh', '-c', BASH, script]);
      const foregroundIs = (name: string) =>
        waitUntil(
          () => foregroundJob(terminal) === name,
          () => `${name} in the foreground: ${terminal.stdout()}`,
        );
      await terminal.prints('ready\n');
      terminal.resize();
      await terminal.prints('first: 0\n');
      await foregroundIs('cat');
      terminal.type(CTRL_Z);
      await terminal.prints('second: 148\n');
      await foregroundIs('cat');
      terminal.type('hello\n');
      // What cat writes goes past the terminal, and may overtake the echo.
      await terminal.prints('hello\r\n'); // the terminal's echo
      await terminal.prints('hello\n'); // what cat writes
      terminal.type(CTRL_D);
      await terminal.prints('third: 0\n');
      await foregroundIs('sleep');
      terminal.type(CTRL_C);
      return terminal.ended;
    }),
  );
  t.equal(ours?.status, 128 + INT);
  t.equal(oracle?.status, 128 + INT);
  t.match(ours?.stdout, /hello/);
  t.strictSame(debugLines(ours?.stderr ?? ''), debugLines(oracle?.stderr ?? ''));
});

/** The name of the process that leads the terminal's foreground process group. */
function foregroundJob(terminal: OnTerminal): string {
  const shell = firstChild(terminal.command());
  const [, , , , , group = ''] = readProc(`${shell}/stat`).replace(/.*\) /, '').split(' '); // proc(5), tpgid
  return processStatus(group, 'Name');
}

t.test('-c: Ctrl-Z stops dumb-init and the command, and CONT resumes both', async (t) => {
  for (const program of PROGRAMS) {
    // As a job of a shell: of a process group that nobody watches, the kernel stops no process.
    const terminal = startOnTerminal('member', [program, '-c', 'sh', '-c', 'echo ready; exec cat']);
    await terminal.prints('ready\n');
    const init = terminal.command();
    const command = firstChild(init);
    terminal.type(CTRL_Z);
    for (const pid of [init, command]) await waitUntil(() => processState(pid) === 'T', `${pid} to stop`);
    process.kill(init, CONT);
    for (const pid of [init, command]) await waitUntil(() => processState(pid) === 'S', `${pid} to go on`);
    terminal.type(CTRL_D);
    t.equal((await terminal.ended).status, 0, program);
  }
});

for (const [title, relation, takes] of RELATIONS) {
  t.test(`another user's terminal that ${title}`, async (t) => {
    const came = relation === 'background' ? ['was terminated by signal 1.'] : [];
    const [ours, oracle] = await Promise.all(
      PROGRAMS.map((program) => probe(relation, [...ANOTHER_USERS, program, '-v'], came)),
    );
    t.strictSame(ours, oracle);
    t.match(ours?.lines.join('\n'), `leads its session: 1, has a terminal: ${takes === 'yes' ? 1 : 0}`);
  });
}

t.test("Ctrl-C and a hang-up reach the command on another user's terminal", async (t) => {
  for (const program of PROGRAMS) {
    const terminal = startOnTerminal('leader', [...ANOTHER_USERS, program, SIGNALS, '3']);
    await terminal.prints('ready\n');
    terminal.type(CTRL_C);
    await printsSignals(terminal, [INT]);
    terminal.hangUp();
    await printsSignals(terminal, [INT, HUP, CONT]);
    t.equal((await terminal.ended).status, 0, program);
  }
});

t.test('standard input that is opened as /dev/tty is handed on as 1.2.5 does it', async (t) => {
  for (const relation of ['leader', 'member'] as const) {
    const opened = ['sh', '-c', 'exec "$@" < /dev/tty', 'sh'];
    const [ours, oracle] = await Promise.all(PROGRAMS.map((program) => probe(relation, [...opened, program, '-v'])));
    t.strictSame(ours, oracle);
  }
});

t.test("the terminal's settings are left as the command left them", async (t) => {
  // [how dumb-init is started]
  for (const prefix of ['', 'setsid --ctty --wait']) {
    for (const program of PROGRAMS) {
      const terminal = startOnTerminal('free', ['sh', '-c', `${prefix} ${program} stty -echo -icrnl rows 7; stty -a`]);
      const { stdout } = await terminal.ended;
      for (const setting of ['-echo ', '-icrnl ', 'rows 7;', ' icanon '])
        t.match(stdout, setting, `${prefix} ${program}`);
    }
  }
});
