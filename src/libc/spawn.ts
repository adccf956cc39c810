/**
 * The command's process. What it does before its exec is written down here, as dumb-init 1.2.5 does it, one
 * system call after another; the guard has a child run the list (src/image/guard.c, run_in_child). The child
 * shares our memory until then, so nothing of it is copied, and what came of each step can be read afterwards.
 */
import { SIGCHLD, SIGCONT, SIGURG, SIGWINCH } from '../signals.ts';
import {
  EACCES,
  ENODEV,
  ENOENT,
  ENOEXEC,
  ENOTDIR,
  ESTALE,
  ETIMEDOUT,
  O_CLOEXEC,
  O_RDWR,
  PATH_MAX,
  SIG_DFL,
  SIG_IGN,
  SIG_SETMASK,
  SIZEOF_KERNEL_SIGACTION,
  SIZEOF_KERNEL_SIGSET,
  SIZEOF_POINTER,
  SYSTEM_CALLS,
  TIOCSCTTY,
  TIOCSPGRP,
} from './abi.ts';
import { allocate, bytesAt, cString, declare, declareGuard, type Memory, stringAt, words64, wordsAt } from './ffi.ts';
import { close } from './process.ts';
import { record } from './record.ts';
import { signalSet, signalsOf } from './signal-source.ts';

const runInChild = declareGuard('run_in_child', 'pointer');
const libcOpen = declare('open', 'pointer', 'int');

const DEV_TTY = cString('/dev/tty');

/** What execvp searches when PATH is unset (glibc, _CS_PATH). */
const DEFAULT_PATH = '/bin:/usr/bin';

/** Exit statuses of the child for an exec that failed. */
export interface ExecStatuses {
  readonly notFound: number;
  readonly denied: number;
  readonly other: number;
}

export type Terminal = 'standard input' | '/dev/tty';

export interface Command {
  /** Its name as given, bytes as latin1. */
  readonly file: string;
  /** Address of its argument array, as execve(2) takes it, and how many arguments there are. */
  readonly argv: bigint;
  readonly argc: number;
  /** The value of PATH, if it is set. */
  readonly path: string | undefined;
  /** With a session of its own, to which it takes the terminal on fd 0 if it may. */
  readonly session: 'none' | 'own' | 'own, with the terminal';
  /** With a process group of its own in our session, which comes to the foreground of a terminal. */
  readonly foreground: Terminal | undefined;
  /** Errors of tcsetpgrp(3) that mean that there is no terminal; any other is the end. */
  readonly noTerminal: readonly number[];
  /** The signals that are blocked for it. */
  readonly blocked: readonly number[];
  /** What the caller ignores it ignores too; otherwise it begins with the standard signals at their default. */
  readonly keepIgnored: boolean;
  /** Where LISTEN_PID is ours, it becomes the command's (sd_listen_fds(3)). */
  readonly passesListenPid: boolean;
  readonly statuses: ExecStatuses;
}

/** What came of it: the errno of each step that failed, 0 of one that did not, or that was not asked for. */
export interface Spawned {
  readonly pid: number;
  readonly setsid: number;
  readonly takeTerminal: number;
  readonly openTerminal: number;
  readonly comeToForeground: number;
  readonly exec: number;
}

/** One system call of the child. */
interface Step {
  readonly call: number;
  /** A step stands for the address of its result. */
  readonly arguments?: readonly (number | bigint | Step)[];
  /** Only if that step has ended with this errno. */
  readonly only?: { readonly after: Step; readonly errno: number };
  /** The next step follows after these errors too, `otherwise` after any other. */
  readonly goesOn?: ErrorSet;
  readonly otherwise?: Step;
  /** Where it stands in the list, if it does. */
  place?: number;
}

/** Bit n for errno n, in two words; the last for all beyond too. */
type ErrorSet = readonly [bigint, bigint];
const ANY_ERROR: ErrorSet = [~0n, ~0n];

function errorSet(...errors: number[]): ErrorSet {
  let bits = 0n;
  for (const errno of errors) bits |= 1n << BigInt(errno);
  return [bits & 0xffff_ffff_ffff_ffffn, bits >> 64n];
}

/** As in guard.c: not a system call. */
const PUT_OWN_PID = 0xffff;
/** struct step: eleven words, of which the last is the result. */
const WORDS = 11;
export const SIZEOF_STEP = WORDS * SIZEOF_POINTER;
const RESULT = WORDS - 1;

/** The list in memory, as the guard reads it; the results are 0 until then. */
function written(steps: readonly Step[]): Memory {
  const memory = allocate(steps.length * SIZEOF_STEP);
  const fields = words64(memory);
  steps.forEach((step, i) => {
    step.place = i;
  });
  const placeOf = ({ place = 0 }: Step) => place;
  const resultAddress = (step: Step) => memory.address + BigInt((placeOf(step) * WORDS + RESULT) * SIZEOF_POINTER);
  steps.forEach(({ call, arguments: values = [], only, goesOn, otherwise }, i) => {
    const at = i * WORDS;
    fields[at] = BigInt(call);
    values.forEach((value, j) => {
      fields[at + 1 + j] = typeof value === 'object' ? resultAddress(value) : BigInt(value);
    });
    if (only) {
      fields[at + 5] = BigInt(placeOf(only.after));
      fields[at + 6] = BigInt(only.errno);
    }
    if (goesOn) [fields[at + 7], fields[at + 8]] = goesOn;
    if (otherwise) fields[at + 9] = BigInt(placeOf(otherwise));
  });
  return memory;
}

/** With these execvp(3) goes on to the next folder of PATH. */
const TRY_NEXT = [EACCES, ENOENT, ESTALE, ENOTDIR, ENODEV, ETIMEDOUT];
const TRY_NEXT_SET = errorSet(...TRY_NEXT);
const TRY_NEXT_OR_SHELL = errorSet(...TRY_NEXT, ENOEXEC);

/** Where execvp(3) looks for a file (glibc, posix/execvpe.c). */
function candidates(file: string, path: string | undefined): string[] {
  if (file === '') return [];
  if (file.includes('/')) return [file];
  return (path ?? DEFAULT_PATH).split(':').flatMap((folder, i, folders) => {
    if (folder === '') return file;
    if (folder.length < PATH_MAX) return `${folder}/${file}`;
    // glibc passes over a folder that is too long for any path, but takes the colon behind it for one more.
    return i < folders.length - 1 ? file : [];
  });
}

/**
 * The container's environment with room for the child's PID in place of ours, if LISTEN_PID is ours.
 *
 * @returns the address of the array, and where the PID goes
 */
function environmentFor(passesListenPid: boolean): { envp: bigint; pidAt?: bigint } {
  const { envp, envc, pid } = record();
  if (!passesListenPid) return { envp };
  const start = 'LISTEN_PID=';
  for (let i = 0; i < envc; i++) {
    const entry = stringAt(wordsAt(envp + BigInt(i * SIZEOF_POINTER), 1)[0] ?? 0n);
    if (!entry.startsWith(start)) continue;
    if (Number.parseInt(entry.slice(start.length), 10) !== pid) break;
    const copy = allocate((envc + 1) * SIZEOF_POINTER);
    copy.bytes.write(bytesAt(envp, envc * SIZEOF_POINTER), 'latin1');
    const { address } = cString(`${start}${'0'.repeat(MOST_DIGITS)}`);
    words64(copy)[i] = address;
    return { envp: copy.address, pidAt: address + BigInt(start.length) };
  }
  return { envp };
}
/** Of a PID. */
const MOST_DIGITS = 10;

/** To ignore one of these, or to set its default, drops it if it is pending: so the thaw has set a handler instead. */
const IGNORED_BY_DEFAULT = [SIGCHLD, SIGCONT, SIGURG, SIGWINCH];

function signalSteps({ keepIgnored, blocked }: Command): Step[] {
  const steps: Step[] = [];
  for (const n of signalsOf(record().ignored)) {
    const keep = keepIgnored && n !== SIGCHLD; // whoever ignores CHLD can't wait for its children
    if (!keep && !IGNORED_BY_DEFAULT.includes(n)) continue;
    const action = allocate(SIZEOF_KERNEL_SIGACTION);
    words64(action)[0] = BigInt(keep ? SIG_IGN : SIG_DFL);
    const words = [n, action.address, 0, SIZEOF_KERNEL_SIGSET];
    steps.push({ call: SYSTEM_CALLS.rt_sigaction, arguments: words, goesOn: ANY_ERROR });
  }
  const words = [SIG_SETMASK, signalSet(blocked).address, 0, SIZEOF_KERNEL_SIGSET];
  steps.push({ call: SYSTEM_CALLS.rt_sigprocmask, arguments: words, goesOn: ANY_ERROR });
  return steps;
}

const exit = (status: number): Step => ({ call: SYSTEM_CALLS.exit_group, arguments: [status] });

const SHELL = cString('/bin/sh').address;

/**
 * An exec for each place where the file may be, and after it one of `/bin/sh FILE ARGUMENT…`, for a file that the
 * kernel doesn't know how to run.
 */
function execSteps({ file, path, argv, argc }: Command, envp: bigint, otherwise: Step): Step[] {
  const files = candidates(file, path);
  const names = cString(files.join('\0'));
  const listSize = (argc + 2) * SIZEOF_POINTER;
  const lists = allocate(files.length * listSize);
  const listWords = words64(lists);
  const rest = argc > 1 ? bytesAt(argv + BigInt(SIZEOF_POINTER), (argc - 1) * SIZEOF_POINTER) : '';
  let { address } = names;
  return files.flatMap((name, i) => {
    const list = i * listSize;
    listWords[list / SIZEOF_POINTER] = SHELL;
    listWords[list / SIZEOF_POINTER + 1] = address;
    lists.bytes.write(rest, list + 2 * SIZEOF_POINTER, 'latin1');
    const call = SYSTEM_CALLS.execve;
    const direct: Step = { call, arguments: [address, argv, envp], goesOn: TRY_NEXT_OR_SHELL, otherwise };
    const byShell: Step = {
      call,
      arguments: [SHELL, lists.address + BigInt(list), envp],
      only: { after: direct, errno: ENOEXEC },
      goesOn: TRY_NEXT_SET,
      otherwise,
    };
    address += BigInt(name.length + 1);
    return [direct, byShell];
  });
}

/** How the child ends when no place is left to try: as denied if one was, which execvp(3) reports then. */
function endings(execs: readonly Step[], { notFound, denied }: ExecStatuses): Step[] {
  const last = execs.slice(-2);
  const asDenied = exit(denied);
  return [
    ...(last.length === 0 ? [exit(notFound)] : []),
    ...execs.map((after) => ({ ...asDenied, only: { after, errno: EACCES } })),
    ...last.map((after) => ({ ...exit(notFound), only: { after, errno: ENOENT } })),
  ];
}

/** The errno that execvp(3) would have left; 0 if one of the execs has worked. */
function execFailure(execs: readonly Step[], errorOf: (step: Step) => number): number {
  let failure = ENOENT;
  let denied = false;
  for (const step of execs) {
    const { only } = step;
    if (only && errorOf(only.after) !== only.errno) continue;
    const errno = errorOf(step);
    if (errno === ENOEXEC && !only) continue; // the shell is next
    if (errno === 0 || !TRY_NEXT.includes(errno)) return errno;
    denied ||= errno === EACCES;
    failure = errno;
  }
  return denied ? EACCES : failure;
}

/**
 * Starts the command. It has exec'd or ended when this returns, so no signal can find it without its session, or
 * in our own code. The file is looked up as execvp(3) does it, the shell for files without `#!` included.
 *
 * @returns its PID and what came of each step, or -errno where there can be no child
 */
export function spawn(command: Command): Spawned | number {
  const { session, noTerminal, statuses } = command;
  const { envp, pidAt } = environmentFor(command.passesListenPid);
  const failed = exit(1);
  const other = exit(statuses.other);

  const opened = command.foreground === '/dev/tty' ? libcOpen(DEV_TTY.address, O_RDWR | O_CLOEXEC) : 0;
  const setsid: Step = { call: SYSTEM_CALLS.setsid, otherwise: failed };
  const takeTerminal: Step = { call: SYSTEM_CALLS.ioctl, arguments: [0, TIOCSCTTY], goesOn: ANY_ERROR };
  const makeGroup: Step = { call: SYSTEM_CALLS.setpgid, goesOn: ANY_ERROR };
  const ownPid: Step = { call: SYSTEM_CALLS.getpid };
  const before: Step[] = [
    ...(session === 'none' ? [] : [setsid]),
    ...(session === 'own, with the terminal' ? [takeTerminal] : []),
    ...(command.foreground ? [makeGroup, ownPid] : []),
  ];
  // tcsetpgrp(3) takes the address of a PID: here that of the result of the step before. SIGTTOU is blocked.
  const comeToForeground: Step = {
    call: SYSTEM_CALLS.ioctl,
    arguments: [Math.max(opened, 0), TIOCSPGRP, ownPid],
    goesOn: errorSet(...noTerminal),
    otherwise: failed,
  };
  const execs = execSteps(command, envp, other);
  const steps: Step[] = [
    ...before,
    ...(command.foreground ? [comeToForeground] : []),
    ...(pidAt === undefined ? [] : [{ call: PUT_OWN_PID, arguments: [pidAt] }]),
    ...signalSteps(command),
    ...execs,
    ...endings(execs, statuses),
    other,
    failed,
  ];
  const memory = written(steps);
  const results = words64(memory);
  const pid = runInChild(memory.address);
  if (opened > 0) close(opened);
  if (pid < 0) return pid;
  const errorOf = (step: Step): number => {
    const { place } = step;
    return place === undefined ? 0 : Math.max(0, -Number(BigInt.asIntN(64, results[place * WORDS + RESULT] ?? 0n)));
  };
  return {
    pid,
    setsid: errorOf(setsid),
    takeTerminal: errorOf(takeTerminal),
    openTerminal: Math.max(0, -opened),
    comeToForeground: errorOf(comeToForeground),
    exec: execFailure(execs, errorOf),
  };
}
