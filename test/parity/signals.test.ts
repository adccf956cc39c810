/** Signals, as dumb-init 1.2.5 passes them on: each case runs on both, and both must do the same. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { concurrently } from '../helpers/concurrently.ts';
import { debugLines } from '../helpers/parity.ts';
import {
  asPid1,
  firstChild,
  fixture,
  isPending,
  ORACLE,
  OURS,
  processState,
  type Result,
  type Running,
  run,
  start,
  waitUntil,
} from '../helpers/processes.ts';
import {
  CHLD,
  CONT,
  INT,
  KILL,
  printedSignals,
  QUIT,
  SIGNALS,
  STOP,
  TERM,
  TSTP,
  TTIN,
  TTOU,
  USR1,
} from '../helpers/signals.ts';

const SUSPENDING = [TSTP, TTIN, TTOU];
/** A process can't take KILL and STOP; 32 and 33 belong to the C library. */
const TAKEN = range(1, 64).filter((n) => ![KILL, STOP, 32, 33].includes(n));
/** Taken after all the others, whatever is pending: when the child has it, the others have been dealt with. */
const FENCE = 64;

const PROGRAMS = [OURS, ORACLE];
const MODES = ['', '-v', '-c', '-vc'];
const setsid = (mode: string) => !mode.includes('c');

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** Starts a command that prints its signals, and waits until it is ready to. */
async function startReady(program: string, args: readonly string[], command = [SIGNALS, '1000']) {
  const init = start(program, [...args.filter(Boolean), ...command]);
  await init.prints('ready\n');
  return init;
}

const stopped = (pid: number) => waitUntil(() => processState(pid) === 'T', `process ${pid} to stop`);

/** Sends each of the signals when the one before has been dealt with, and CONT after those that suspend. */
async function sendInTurn(init: Running, signals: readonly number[]): Promise<void> {
  for (const [i, n] of signals.entries()) {
    init.signal(n);
    if (SUSPENDING.includes(n)) await resume(init);
    init.signal(FENCE);
    await waitUntil(
      () => printedSignals(init).filter((m) => m === FENCE).length > i + (n === FENCE ? 1 : 0),
      () => `signal ${n} to be dealt with: ${init.stdout()}${init.stderr()}`,
    );
  }
}

/** Waits until dumb-init and, if it is to, the command have stopped, and sends a CONT. */
async function resume(init: Running): Promise<void> {
  const command = firstChild(init.pid);
  // CONT takes stop signals off the queue: the command must have had what was forwarded. And each
  // stop and continuation of it is a CHLD, which must come where it comes each time.
  const idle = (state: RegExp) => state.test(processState(command)) && !isPending(command, 0);
  await stopped(init.pid);
  await waitUntil(() => idle(/[ST]/), 'the command to take its signal');
  const commandStopped = processState(command) === 'T';
  if (commandStopped) await waitUntil(() => isPending(init.pid, CHLD), 'the CHLD of the stop');
  init.signal(CONT);
  if (commandStopped) await waitUntil(() => idle(/S/), 'the command to go on');
}

/** Ends the command in a way that no signal handling is part of. */
function killChild(init: Running) {
  process.kill(firstChild(init.pid), 'SIGKILL');
  return init.ended;
}

for (const mode of MODES) {
  const title = `dumb-init ${mode}`.trim();

  t.test(`${title}: every signal that can be taken is forwarded, but for CHLD`, async (t) => {
    const toChild = (n: number) => {
      if (n === CHLD) return [];
      if (!SUSPENDING.includes(n)) return [n];
      return setsid(mode) ? [CONT] : [n, CONT];
    };
    const expected = TAKEN.flatMap((n) => [...toChild(n), FENCE]);
    const [ours, oracle] = await Promise.all(
      PROGRAMS.map(async (program) => {
        const init = await startReady(program, [mode]);
        await sendInTurn(init, TAKEN);
        t.strictSame(printedSignals(init), expected, program);
        return killChild(init);
      }),
    );
    t.equal(ours?.status, 128 + KILL);
    t.strictSame(ours?.stdout, oracle?.stdout);
    t.strictSame(debugLines(ours?.stderr ?? ''), debugLines(oracle?.stderr ?? ''));
    if (!mode.includes('v')) t.equal(ours?.stderr, '');
  });

  t.test(`${title}: of a burst, standard signals are forwarded once, real-time signals each time`, async (t) => {
    // The kernel hands out those that a fault of the program itself can raise before the others, and
    // each kind by its number (kernel/signal.c, next_signal). CONT also ends the stop.
    const standard = TAKEN.filter((n) => n < 32 && ![CHLD, CONT, ...SUSPENDING].includes(n));
    const synchronous = [4, 5, 7, 8, 11, 31];
    const realTime = range(34, 64).flatMap((n) => [n, n, n]);
    const others = [...standard.filter((n) => !synchronous.includes(n)), CONT].sort((a, b) => a - b);
    const [ours, oracle] = await Promise.all(
      PROGRAMS.map(async (program) => {
        const init = await startReady(program, [mode]);
        init.signal(STOP);
        await stopped(init.pid);
        for (const n of [...realTime, ...standard, ...standard, CONT]) init.signal(n);
        const count = synchronous.length + others.length + realTime.length;
        await waitUntil(() => printedSignals(init).length >= count, init.stdout);
        t.strictSame(printedSignals(init), [...synchronous, ...others, ...realTime], program);
        return killChild(init);
      }),
    );
    t.strictSame(debugLines(ours?.stderr ?? ''), debugLines(oracle?.stderr ?? ''));
  });

  t.test(`${title}: TSTP, TTIN and TTOU suspend dumb-init, and CONT resumes it and is forwarded`, async (t) => {
    for (const program of PROGRAMS) {
      const init = await startReady(program, [mode]);
      for (const [i, n] of SUSPENDING.entries()) {
        init.signal(n);
        await stopped(init.pid);
        if (setsid(mode)) await stopped(firstChild(init.pid));
        else await waitUntil(() => printedSignals(init).includes(n), init.stdout);
        init.signal(CONT);
        await waitUntil(() => printedSignals(init).filter((m) => m === CONT).length === i + 1, init.stdout);
        t.match(processState(init.pid), /[RS]/, program);
        t.match(processState(firstChild(init.pid)), /[RS]/, program);
      }
      await killChild(init);
    }
  });
}

// [what happens, options, signals that dumb-init gets, signals that the child gets]
const REWRITES: [string, string[], number[], number[]][] = [
  ['a signal becomes another', ['-r', '15:3'], [TERM, QUIT, INT], [QUIT, QUIT, INT]],
  ['a signal is dropped', ['-r', '15:0'], [TERM, INT], [INT]],
  ['a signal stays itself', ['-r', '15:15'], [TERM], [TERM]],
  ['no rewrite applies to the outcome of another', ['-r', '1:2', '-r', '2:3'], [1, INT], [INT, QUIT]],
  ['two signals change places', ['-r', '2:15', '-r', '15:2'], [INT, TERM], [TERM, INT]],
  ['the last rewrite of a signal counts', ['-r', '15:0', '-r', '15:2'], [TERM], [INT]],
  ['CHLD stays with dumb-init, whatever it is rewritten to', ['-r', '17:15'], [CHLD], []],
  ['a signal becomes CHLD', ['-r', '10:17'], [USR1], [CHLD]],
  ['TSTP is dropped and suspends dumb-init all the same', ['-r', '20:0'], [TSTP, INT], [CONT, INT]],
  ['TSTP is left to the command', ['-r', '20:20'], [TSTP], [TSTP, CONT]],
  ['TTIN is left to the command', ['-r', '21:21'], [TTIN], [TTIN, CONT]],
  ['TTOU becomes TERM and suspends dumb-init', ['-r', '22:15'], [TTOU], [TERM, CONT]],
  ['what becomes TSTP suspends nobody', ['-r', '10:20'], [USR1], [TSTP]],
  ['CONT resumes dumb-init and is dropped', ['-r', '18:0', '-r', '20:0'], [TSTP, CONT, INT], [INT]],
  ['CONT resumes dumb-init and becomes another', ['-r', '18:10', '-r', '20:0'], [TSTP], [USR1]],
  ['with -c, TSTP becomes STOP only if that is asked for', ['-c', '-r', '20:0'], [TSTP, TTIN], [CONT, TTIN, CONT]],
  ['with -c, rewrites work as without', ['-c', '-r', '15:3'], [TERM], [QUIT]],
];

for (const [title, args, sent, got] of REWRITES) {
  t.test(`${args.join(' ')}: ${title}`, async (t) => {
    const [ours, oracle] = await Promise.all(
      PROGRAMS.map(async (program) => {
        const init = await startReady(program, ['-v', ...args]);
        await sendInTurn(init, sent);
        t.strictSame(
          printedSignals(init).filter((n) => n !== FENCE),
          got,
          program,
        );
        return killChild(init);
      }),
    );
    t.strictSame(debugLines(ours?.stderr ?? ''), debugLines(oracle?.stderr ?? ''));
  });
}

t.test('a signal that is rewritten to STOP stops the command alone, and CONT resumes it', async (t) => {
  for (const program of PROGRAMS) {
    const init = await startReady(program, ['-r', '10:19']);
    init.signal(USR1);
    await stopped(firstChild(init.pid));
    t.match(processState(init.pid), /[RS]/, program);
    init.signal(CONT);
    await waitUntil(() => printedSignals(init).includes(CONT), init.stdout);
    await killChild(init);
  }
});

t.test('a signal that is rewritten to KILL kills the command', async (t) => {
  for (const program of PROGRAMS) {
    const init = await startReady(program, ['-r', '15:9']);
    init.signal(TERM);
    t.equal((await init.ended).status, 128 + KILL, program);
  }
});

/** A command with a child of its own; both print their signals. */
const FAMILY = ['sh', '-c', `${SIGNALS} 1 & exec ${SIGNALS} 1`];

/** Starts FAMILY, and gives the PID of the grandchild too. */
async function startFamily(program: string, args: readonly string[]) {
  const init = await startReady(program, args, FAMILY);
  await init.prints('ready\nready\n');
  return { init, grandchild: firstChild(firstChild(init.pid)) };
}

t.test('signals reach the whole process group', async (t) => {
  for (const program of PROGRAMS) {
    const { init } = await startFamily(program, []);
    init.signal(INT);
    const { status, stdout } = await init.ended;
    t.equal(status, 0, program);
    t.match(stdout, /^ready\nready\n2\n2\n$/, program);
  }
});

t.test('-c: signals reach the command and leave its children alone, at the end too', async (t) => {
  for (const program of PROGRAMS) {
    const { init, grandchild } = await startFamily(program, ['-c']);
    init.signal(INT);
    await waitUntil(() => processState(init.pid) === '' || processState(init.pid) === 'Z', 'dumb-init to end');
    await init.prints('ready\nready\n2\n');
    process.kill(grandchild, USR1);
    const { status, stdout } = await init.ended;
    t.equal(status, 0, program);
    t.equal(stdout, 'ready\nready\n2\n10\n', program);
  }
});

// [what the rest of the group gets when the command has ended, options, signal]
const LAST_SIGNALS: [string, string[], number][] = [
  ['TERM', [], TERM],
  ['what TERM is rewritten to', ['-r', '15:10'], USR1],
];
for (const [title, args, n] of LAST_SIGNALS) {
  t.test(`when the command has ended, the rest of its group gets ${title}`, async (t) => {
    for (const program of PROGRAMS) {
      const { init } = await startFamily(program, args);
      const { status, stdout } = await killChild(init);
      t.equal(status, 128 + KILL, program);
      t.equal(stdout, `ready\nready\n${n}\n`, program);
    }
  });
}

t.test('when the command has ended and TERM is dropped, the rest of its group lives on', async (t) => {
  for (const program of PROGRAMS) {
    const { init, grandchild } = await startFamily(program, ['-r', '15:0']);
    process.kill(firstChild(init.pid), 'SIGKILL');
    await waitUntil(() => processState(init.pid) === '' || processState(init.pid) === 'Z', 'dumb-init to end');
    process.kill(grandchild, USR1);
    t.equal((await init.ended).stdout, 'ready\nready\n10\n', program);
  }
});

/** Runs `dumb-init sh -c SCRIPT` for each n, as $n of the script, and gives the statuses. */
async function statuses(program: string, script: string, numbers: readonly number[]): Promise<number[]> {
  const size = 32; // as many in one loop of a shell as stay well within the time limit
  const parts = Array.from({ length: Math.ceil(numbers.length / size) }, (_, i) =>
    numbers.slice(i * size, (i + 1) * size),
  );
  const each = `${program} sh -c '${script}'; echo $?`;
  const found = await concurrently(parts, async (part) => {
    const { stdout } = await run('sh', ['-c', `ulimit -c 0; export n; for n in ${part.join(' ')}; do ${each}; done`]);
    return stdout.trim().split('\n').map(Number);
  });
  return found.flat();
}

t.test('each of the 256 exit codes is passed on', async (t) => {
  for (const program of PROGRAMS) {
    t.strictSame(await statuses(program, 'exit $n', range(0, 255)), range(0, 255), program);
  }
});

t.test('each signal that kills the command gives 128 + its number', async (t) => {
  const ignoredByDefault = [CHLD, CONT, 23, 28];
  const deadly = [KILL, ...TAKEN].filter((n) => ![...ignoredByDefault, ...SUSPENDING].includes(n));
  for (const program of PROGRAMS) {
    const expected = deadly.map((n) => 128 + n);
    t.strictSame(await statuses(program, 'kill -$n $$', deadly), expected, program);
  }
});

// [environment, options]
const DEBUG_SOURCES: [Record<string, string>, string[]][] = [
  [{ DUMB_INIT_DEBUG: '1' }, []],
  [{ DUMB_INIT_DEBUG: '1' }, ['-c']],
  [{ DUMB_INIT_DEBUG: '0' }, ['-v']],
  [{ DUMB_INIT_SETSID: '0' }, ['-v']],
  [{ DUMB_INIT_SETSID: '0' }, ['-v', '-c']],
  [{ DUMB_INIT_SETSID: '1' }, ['-v', '-c']],
  [{ DUMB_INIT_DEBUG: '1', DUMB_INIT_SETSID: '0' }, []],
  [{ DUMB_INIT_DEBUG: '11', DUMB_INIT_SETSID: '00' }, []],
];
for (const [env, args] of DEBUG_SOURCES) {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  t.test(`${[...settings, 'dumb-init', ...args].join(' ')}: the debug lines are those of 1.2.5`, async (t) => {
    const command = ['sh', '-c', 'trap "" HUP; kill -HUP $PPID; exit 7'];
    const [ours, oracle] = await Promise.all(
      PROGRAMS.map((program) => run(program, [...args, ...command], { env: { PATH: '/bin', ...env } })),
    );
    t.equal(ours?.status, 7);
    t.strictSame(debugLines(ours?.stderr ?? ''), debugLines(oracle?.stderr ?? ''));
  });
}

t.test('orphans that dumb-init adopts are named in the debug lines as they end', async (t) => {
  // One CHLD may stand for the orphan and the command, or each may bring its own.
  const withoutSignals = ({ stderr }: Result) => debugLines(stderr.replaceAll('[dumb-init] Received signal 17.\n', ''));
  const [ours, oracle] = await Promise.all(
    PROGRAMS.map(async (program) => {
      return withoutSignals(await asPid1([program, '-v', fixture('orphans'), '1']).ended);
    }),
  );
  t.ok(ours?.parent.includes('[dumb-init] A child with PID #1 exited with exit status 0.'));
  t.strictSame(ours, oracle);
});

t.test('-v and a script that the kernel cannot start: the shell that runs it is the one child there is', async (t) => {
  const folder = mkdtempSync('build/test/script-');
  writeFileSync(`${folder}/script`, 'exit 7', { mode: 0o755 });
  const [ours, oracle] = await Promise.all(PROGRAMS.map((program) => run(program, ['-v', `${folder}/script`])));
  rmSync(folder, { recursive: true });
  t.equal(ours?.status, 7);
  t.strictSame(debugLines(ours?.stderr ?? ''), debugLines(oracle?.stderr ?? ''));
});

for (const mode of ['-v', '-vc']) {
  t.test(`${mode} and a command that cannot be executed: it had a child, whose end is told`, async (t) => {
    const [ours, oracle] = await Promise.all(PROGRAMS.map((program) => run(program, [mode, '/no/such/command'])));
    t.equal(ours?.status, 2);
    t.equal(oracle?.status, 2);
    t.strictSame(debugLines(ours?.stderr ?? ''), debugLines(oracle?.stderr ?? ''));
    t.match(ours?.stderr, /^\[dumb-init\] Child exited with status 2\. Goodbye\.$/m);
  });
}
