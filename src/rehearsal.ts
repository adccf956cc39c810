/**
 * What is run once before the freeze: every path of the program, so that V8 has compiled what a start, a
 * signal and an end need, and nothing is compiled in a container. It runs on a stage: a few lines that
 * stand for the kernel answer the calls, so no process, signal or file descriptor is touched.
 */
import { setFlagsFromString } from 'node:v8';
import {
  EACCES,
  ENOENT,
  ENOEXEC,
  ENOTTY,
  ENXIO,
  SI_CODE_OFFSET,
  SI_PID_OFFSET,
  SI_STATUS_OFFSET,
  SI_USER,
  SIZEOF_POINTER,
  SIZEOF_SIGINFO_T,
} from './libc/abi.ts';
import { allocate, EndOfRehearsal, enter, freeAllocated, memoryAt, type Stage, words64 } from './libc/ffi.ts';
import { writeRecord } from './libc/record.ts';
import { SIZEOF_STEP } from './libc/spawn.ts';
import { ALL_SIGNALS, SIGCHLD, SIGCONT, SIGHUP, SIGTERM } from './signals.ts';

const OWN_PID = 1;
const COMMAND = 7;
const ORPHAN = 8;
const SOMEBODY = 9;

/** A signal that comes, or a process that dies and is told of by SIGCHLD. */
interface Death {
  dead: number;
  /** si_code, and si_status: an exit status or a signal. */
  code: number;
  status: number;
}
type Happening = { n: number; sender: number } | Death;

const signal = (n: number, sender = SOMEBODY): Happening => ({ n, sender });
const exited = (pid: number, status = 0): Happening => ({ dead: pid, code: 1, status });
const killed = (pid: number, n: number): Happening => ({ dead: pid, code: 2, status: n });

/** How the world is in which the program is rehearsed; what isn't said is as in most containers. */
interface Scene {
  pid?: number;
  /** Standard input is a terminal, which the program's session has. */
  terminal?: boolean;
  leader?: boolean;
  /** The errno of what the command's process does: all of it, or all after it has made its session. */
  inChild?: number;
  inSession?: number;
  /** Errors, by the function of libc that fails. */
  failing?: Readonly<Record<string, number>>;
  ignored?: bigint;
  happenings?: readonly Happening[];
}

const NANOSECONDS = 1_000_000_000n;

/** Views of the program's own buffers, which are always the same. */
const views = new Map<bigint, Buffer>();
function view(address: bigint): Buffer {
  const known = views.get(address) ?? memoryAt(address, SIZEOF_SIGINFO_T).bytes;
  views.set(address, known);
  return known;
}

function kernel(scene: Scene): Stage {
  const { pid = OWN_PID, terminal, leader, inChild, inSession, failing = {}, happenings = [] } = scene;
  const queue = [...happenings];
  const zombies: Death[] = [];
  let time = NANOSECONDS;
  const putInt = (address: bigint, offset: number, value: number) => view(address).writeInt32LE(value, offset);

  const take = (set: bigint, info: bigint, until: bigint): number => {
    const awaited = view(set).readBigUInt64LE(0);
    const number = (happening: Happening) => ('dead' in happening ? SIGCHLD : happening.n);
    const i = queue.findIndex((happening) => awaited & (1n << BigInt(number(happening) - 1)));
    const [next] = i < 0 ? [] : queue.splice(i, 1);
    if (!next) {
      if (until === 0n) throw new EndOfRehearsal();
      const bytes = view(until);
      time += bytes.readBigInt64LE(0) * NANOSECONDS + bytes.readBigInt64LE(8);
      return -1;
    }
    if ('dead' in next) zombies.push(next);
    putInt(info, SI_CODE_OFFSET, SI_USER);
    putInt(info, SI_PID_OFFSET, 'dead' in next ? next.dead : next.sender);
    return number(next);
  };

  const look = (info: bigint): number => {
    const zombie = zombies[0];
    if (!zombie) return -10; // ECHILD
    putInt(info, SI_PID_OFFSET, zombie.dead);
    putInt(info, SI_CODE_OFFSET, zombie.code);
    putInt(info, SI_STATUS_OFFSET, zombie.status);
    return 0;
  };

  const end = (): never => {
    throw new EndOfRehearsal();
  };
  const ofTerminal = () => (terminal ? 0 : -ENOTTY);
  const answers: Record<string, (...values: never[]) => number | bigint> = {
    _exit: end,
    sigsuspend: end,
    run_in_child: (steps: bigint) => {
      if (inChild) failSteps(steps, 0, inChild);
      if (inSession) failSteps(steps, 1, inSession);
      return COMMAND;
    },
    getsid: () => (leader ? pid : SOMEBODY),
    ioctl: ofTerminal,
    tcgetattr: ofTerminal,
    open: () => 3,
    close: () => 0,
    close_range: () => 0,
    write: (_fd, bytes: bigint, size: bigint) => {
      const text = memoryAt(bytes, Number(size)).bytes.toString('latin1');
      if (text.includes('Unable to start')) throw new Error(text);
      return Number(size);
    },
    chdir: () => 0,
    prctl: () => 0,
    madvise: () => 0,
    sigpending: () => 0,
    signal: () => 0n,
    kill: () => 0,
    clock_gettime: (_clock, into: bigint) => {
      const bytes = view(into);
      bytes.writeBigInt64LE(time / NANOSECONDS, 0);
      bytes.writeBigInt64LE(time % NANOSECONDS, 8);
      return 0;
    },
    sigtimedwait: take,
    waitid: (_type, _id, info: bigint) => look(info),
    waitpid: () => zombies.shift()?.dead ?? 0,
  };
  return (name, values) => {
    const error = failing[name];
    if (error !== undefined) return -error;
    return answers[name]?.(...(values as never[]));
  };
}

/** The first steps but for `from` have failed (src/libc/spawn.ts): as many as there always are. */
function failSteps(steps: bigint, from: number, errno: number): void {
  const { bytes } = memoryAt(steps, 6 * SIZEOF_STEP);
  for (let i = from + 1; i <= 6; i++) bytes.writeBigInt64LE(BigInt(-errno), i * SIZEOF_STEP - SIZEOF_POINTER);
}

/** The initial stack as execve(2) lays it down: addresses of argv and envp. */
function initialStack(words: readonly string[], variables: readonly string[]): [argv: bigint, envp: bigint] {
  const strings = [...words, ...variables];
  const text = allocate(strings.reduce((size, string) => size + string.length + 1, 1));
  const pointers = allocate((strings.length + 2) * SIZEOF_POINTER);
  const list = words64(pointers);
  let at = 0;
  for (const [i, string] of strings.entries()) {
    list[i < words.length ? i : i + 1] = text.address + BigInt(at);
    at += text.bytes.write(`${string}\0`, at, 'latin1');
  }
  return [pointers.address, pointers.address + BigInt((words.length + 1) * SIZEOF_POINTER)];
}

type Perform = (words: readonly string[], variables: readonly string[], scene: Scene) => void;

const performer =
  (wake: () => never): Perform =>
  (words, variables, scene) => {
    freeAllocated();
    const environment = ['PATH=/usr/bin:/bin', 'HOME=/', ...variables];
    const [argv, envp] = initialStack(words, environment);
    const [argc, envc] = [words.length, environment.length];
    writeRecord({ pid: scene.pid ?? OWN_PID, argc, argv, envc, envp, blocked: 0n, ignored: scene.ignored ?? 0n });
    enter(kernel(scene));
    try {
      wake();
    } catch (error) {
      if (!(error instanceof EndOfRehearsal)) throw error;
    } finally {
      enter(undefined);
    }
  };

const collectGarbage = (globalThis as unknown as { gc(options?: object): void }).gc; // --expose-gc

/** Orphans, every signal, the end of the command, and of what is left. */
const LIFE: readonly Happening[] = [
  ...ALL_SIGNALS.filter((n) => n !== SIGCHLD).map((n) => signal(n)),
  exited(ORPHAN),
  killed(ORPHAN, SIGTERM),
  signal(SIGCHLD),
  killed(COMMAND, SIGTERM),
  exited(ORPHAN, 1),
];

/** An ordinary life: so often are its few signals met that V8 has nothing left to learn of them. */
const ORDINARY: readonly Happening[] = [
  ...Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? exited(ORPHAN) : signal([10, 28][i % 2] ?? 1))),
  signal(SIGTERM),
  exited(COMMAND),
];

/** Command lines of dumb-init. */
const COMMAND_LINES: readonly string[] = [
  '-- true',
  'true a b',
  '-c true',
  '-v true',
  '-vc true',
  '-r 15:2 -r 1:0 --rewrite=TERM:QUIT,RTMIN+3:TERM true',
  '--single-child --verbose --rewrite 15:3 true',
  '-v --signal-names --rewrite 10:12 true',
  '--wait-all true',
  '-v --wait-all --kill-after 0ms true',
  '--kill-after 0s --log-exit true',
  '-v --delay TERM=0ms,INT=1s true',
  '--map-exit 143:0,130:0 --log-exit true',
  '--exec-status true',
  '--subreaper --parent-death-signal TERM true',
  '-v --no-tty-handoff true',
  '--keep-ignored true',
  '--pause',
  '-v --pause',
  '-v --log-format=text true',
  '-v --log-format json --warn-zombies true',
  '--warn-zombies true',
  '--explain true',
  '--explain --wait-all --kill-after 10s --map-exit 143:0 -r 15:2 --parent-death-signal 9 true',
  '--explain --pause',
  '--help',
  '--help-all',
  '--version',
  '--list-signals',
  '',
  '--yolo',
  '-z',
  '-r',
  '--rewrite',
  '--ver',
  '--help=1',
  '-r 99:1 true',
  '--kill-after soon true',
  '--pause true',
];

const VARIABLES: readonly string[][] = [
  ['DUMB_INIT_DEBUG=1', 'DUMB_INIT_SETSID=0'],
  ['DUMB_INIT_REWRITE=TERM:QUIT', 'DUMB_INIT_KILL_AFTER=10s', 'DUMB_INIT_WAIT_ALL=1', 'DUMB_INIT_LOG_EXIT=0'],
  ['DUMB_INIT_DELAY=never'],
];

const TINI: readonly string[] = [
  '-- true',
  '-s -g -w -vvv -p SIGKILL -e 143 true',
  '-h',
  '-l',
  '--version',
  '-x',
  '-e 900 true',
  '',
];

const CATATONIT: readonly string[] = ['-- true', '-g true', '-P', '-h', '-L', '-V', '-x', ''];

const words = (argv0: string, line: string) => [argv0, ...line.split(' ').filter(Boolean)];

/** A terminal whose session we lead: its HUP and CONT come of the hand-off. */
const ON_TERMINAL: Scene = {
  terminal: true,
  leader: true,
  happenings: [signal(SIGHUP, OWN_PID), signal(SIGCONT, OWN_PID), ...LIFE],
};

/**
 * Rehearses all of it. What it leaves behind is garbage, and the record, which the thaw writes anew.
 *
 * @param wake what each thawed process runs
 * @returns a short and ordinary life, on the stage
 */
export function rehearse(wake: () => never): () => void {
  const once = performer(wake);
  const perform: Perform = (...of) => {
    once(...of);
    collectGarbage({ type: 'minor' });
  };
  for (const line of COMMAND_LINES) {
    perform(words('/usr/bin/dumb-init', line), [], { happenings: LIFE });
    perform(words('dumb-init', line), [], { ...ON_TERMINAL, inChild: ENOENT });
  }
  for (const pid of [OWN_PID, ORPHAN]) {
    perform(['dumb-init', '-v', 'true'], [], { pid, terminal: true, happenings: LIFE });
    perform(['dumb-init', '-v', '--wait-all', 'true'], [], { pid, happenings: LIFE, inSession: ENOTTY });
    perform(['tini', 'true'], [], { pid, happenings: LIFE });
    perform(['catatonit', 'true'], ['CATATONIT_DEBUG=1'], { pid, happenings: LIFE, failing: { open: ENXIO } });
  }
  for (const variables of VARIABLES) perform(['dumb-init', 'true'], variables, { happenings: LIFE });
  for (const name of ['run_in_child', 'chdir', 'write', 'close_range']) {
    perform(['dumb-init', '-v', 'true'], [], { failing: { [name]: ENOENT }, happenings: LIFE });
  }
  for (const errno of [ENOENT, ENOTTY, EACCES, ENOEXEC]) {
    for (const argv0 of ['dumb-init', 'tini', 'catatonit']) {
      perform([argv0, '-v', 'true'], [], { inChild: errno, happenings: LIFE });
      perform([argv0, './true', 'a'], [], { inChild: errno, happenings: LIFE });
    }
  }
  perform(['dumb-init', 'true'], [], { ignored: 0xffffffffn });
  perform(['dumb-init', '--keep-ignored', 'true'], [], { ignored: 0xffffffffn });
  for (const [argv0, lines, variables] of [
    ['tini', TINI, ['TINI_VERBOSITY=3', 'TINI_SUBREAPER=', 'TINI_KILL_PROCESS_GROUP=']],
    ['catatonit', CATATONIT, ['CATATONIT_DEBUG=1', `LISTEN_PID=${OWN_PID}`]],
  ] as const) {
    for (const line of lines) {
      for (const environment of [[], variables]) {
        perform(words(argv0, line), environment, { happenings: LIFE });
        perform(words(argv0, line), environment, { terminal: true, inChild: ENXIO });
      }
    }
  }
  for (let i = 0; i < 5; i++) {
    perform(['dumb-init', '--', 'true'], [], { happenings: ORDINARY });
  }
  views.clear();
  setFlagsFromString('--compact-on-every-full-gc');
  for (let i = 0; i < 3; i++) collectGarbage({ type: 'major', flavor: 'last-resort' });
  // What the collection has cleared of V8's caches is filled again by what is most common; then the young
  // generation is made empty, which clears none.
  const ordinaryLife = () => once(['dumb-init', '--', 'true'], [], { happenings: ORDINARY.slice(-9) });
  for (let i = 0; i < 3; i++) ordinaryLife();
  for (let i = 0; i < 2; i++) collectGarbage({ type: 'minor' });
  return ordinaryLife;
}
