/**
 * The command's process: what it does before its exec, as dumb-init 1.2.5 does it, and what came of that.
 */
import {
  O_CLOEXEC,
  O_RDWR,
  SIG_DFL,
  SIG_IGN,
  SIG_SETMASK,
  SIZEOF_KERNEL_SIGACTION,
  SIZEOF_KERNEL_SIGSET,
  SIZEOF_POINTER,
  SYSTEM_CALLS,
  TIOCSCTTY,
  TIOCSPGRP,
} from '../abi.ts';
import { SIGCHLD, SIGCONT, SIGURG, SIGWINCH } from '../signals.ts';
import { ANY_ERROR, type ChildStep, errorSet, exit, runSteps } from './child-steps.ts';
import { type ExecStatuses, endings, execFailure, execSteps, type Program } from './exec.ts';
import { allocate, bytesAt, cString, declare, stringAt, words64, wordsAt } from './ffi.ts';
import { record } from './record.ts';
import { signalSet, signalsOf } from './signal-source.ts';
import { PUT_OWN_PID } from './step-layout.ts';

const libcOpen = declare('open', 'pointer', 'int');
const libcClose = declare('close', 'int');

const DEV_TTY = cString('/dev/tty');

/** How the command is started. Its environment is the container's. */
export interface Command extends Omit<Program, 'envp'> {
  /** With a session of its own, to which it takes the terminal on fd 0 if it may. */
  readonly session: 'none' | 'own' | 'own, with the terminal';
  /** With a process group of its own in our session, which comes to the foreground of a terminal. */
  readonly foreground: 'standard input' | '/dev/tty' | undefined;
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

function signalSteps({ keepIgnored, blocked }: Command): ChildStep[] {
  const steps: ChildStep[] = [];
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
  const setsid: ChildStep = { call: SYSTEM_CALLS.setsid, otherwise: failed };
  const takeTerminal: ChildStep = { call: SYSTEM_CALLS.ioctl, arguments: [0, TIOCSCTTY], goesOn: ANY_ERROR };
  const makeGroup: ChildStep = { call: SYSTEM_CALLS.setpgid, goesOn: ANY_ERROR };
  const ownPid: ChildStep = { call: SYSTEM_CALLS.getpid };
  const before: ChildStep[] = [
    ...(session === 'none' ? [] : [setsid]),
    ...(session === 'own, with the terminal' ? [takeTerminal] : []),
    ...(command.foreground ? [makeGroup, ownPid] : []),
  ];
  // tcsetpgrp(3) takes the address of a PID: here that of the result of the step before. SIGTTOU is blocked.
  const comeToForeground: ChildStep = {
    call: SYSTEM_CALLS.ioctl,
    arguments: [Math.max(opened, 0), TIOCSPGRP, ownPid],
    goesOn: errorSet(...noTerminal),
    otherwise: failed,
  };
  const execs = execSteps({ ...command, envp }, other);
  const steps: ChildStep[] = [
    ...before,
    ...(command.foreground ? [comeToForeground] : []),
    ...(pidAt === undefined ? [] : [{ call: PUT_OWN_PID, arguments: [pidAt] }]),
    ...signalSteps(command),
    ...execs,
    ...endings(execs, statuses),
    other,
    failed,
  ];
  const child = runSteps(steps);
  if (opened > 0) libcClose(opened);
  if (typeof child === 'number') return child;
  const { pid, errorOf } = child;
  return {
    pid,
    setsid: errorOf(setsid),
    takeTerminal: errorOf(takeTerminal),
    openTerminal: Math.max(0, -opened),
    comeToForeground: errorOf(comeToForeground),
    exec: execFailure(execs, errorOf),
  };
}
