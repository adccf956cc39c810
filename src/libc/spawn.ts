/** Session, controlling terminal and exec of the command as one operation, on posix_spawn(3). */
import { LIBC_SIGNALS, SIGNALS } from '../signals.ts';
import {
  AT_EACCESS,
  AT_FDCWD,
  EACCES,
  EAGAIN,
  ENODEV,
  ENOENT,
  ENOEXEC,
  ENOMEM,
  ENOTDIR,
  ENOTTY,
  EPERM,
  ESTALE,
  ETIMEDOUT,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  PATH_MAX,
  POSIX_SPAWN_SETPGROUP,
  POSIX_SPAWN_SETSID,
  POSIX_SPAWN_SETSIGDEF,
  POSIX_SPAWN_SETSIGMASK,
  SIZEOF_POINTER,
  SIZEOF_POSIX_SPAWN_FILE_ACTIONS_T,
  SIZEOF_POSIX_SPAWNATTR_T,
  SIZEOF_TERMIOS,
  X_OK,
} from './abi.ts';
import { allocate, cString, declare, type Memory, memoryAt } from './ffi.ts';
import { close, dropChildSignal } from './process.ts';
import { signalSet } from './signal-source.ts';

const libcTcgetpgrp = declare('tcgetpgrp', 'int');
const libcTcgetattr = declare('tcgetattr', 'int', 'pointer');
const libcOpen = declare('open', 'pointer', 'int');
const libcFaccessat = declare('faccessat', 'int', 'pointer', 'int', 'int');
const attrInit = declare('posix_spawnattr_init', 'pointer');
const attrSetflags = declare('posix_spawnattr_setflags', 'pointer', 'int');
const attrSetsigmask = declare('posix_spawnattr_setsigmask', 'pointer', 'pointer');
const attrSetsigdefault = declare('posix_spawnattr_setsigdefault', 'pointer', 'pointer');
const actionsInit = declare('posix_spawn_file_actions_init', 'pointer');
const actionsAddopen = declare('posix_spawn_file_actions_addopen', 'pointer', 'int', 'pointer', 'int', 'int');
const actionsAddtcsetpgrp = declare('posix_spawn_file_actions_addtcsetpgrp_np', 'pointer', 'int');
const actionsAddclose = declare('posix_spawn_file_actions_addclose', 'pointer', 'int');
const posixSpawn = declare('posix_spawn', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer');

/** What execvp searches when PATH is unset (glibc, _CS_PATH). */
const DEFAULT_PATH = '/bin:/usr/bin';

const TERMINAL = cString('/proc/self/fd/0');

/**
 * Whether the child can get the terminal on fd 0 as its controlling terminal.
 *
 * `fd` is a close-on-exec fd of that terminal, which proves that it can be opened again and lends
 * its number. `unknown` terminals may belong to another session; only trying tells.
 */
export type Terminal = { kind: 'free' | 'unknown'; fd: number } | { kind: 'none'; errno: number };

/** @returns a close-on-exec fd of the terminal on fd 0, opened again; or -errno: EACCES if it is another user's */
export function reopenTerminal(): number {
  const error = libcTcgetattr(0, allocate(SIZEOF_TERMIOS).address);
  return error < 0 ? error : libcOpen(TERMINAL.address, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

/**
 * @param fd of the terminal, from `reopenTerminal`
 * @param detached TIOCNOTTY has worked, so the terminal on fd 0 was this process's own
 * @param leader this process led its session, which therefore has lost the terminal
 */
export function childTerminal(fd: number, detached: boolean, leader: boolean): Terminal {
  if (detached && !leader) {
    close(fd);
    return { kind: 'none', errno: EPERM }; // it still is our session's
  }
  return fd < 0 ? { kind: 'none', errno: -fd } : { kind: detached ? 'free' : 'unknown', fd };
}

export interface Command {
  /** Its name as given, bytes as latin1. */
  file: string;
  /** Addresses of argv and envp, as execve(2) takes them, and how many arguments there are. */
  argv: bigint;
  argc: number;
  envp: bigint;
  /** The value of PATH, if it is set. */
  path: string | undefined;
  /** With a session of its own, and this terminal; undefined: in ours. */
  terminal: Terminal | undefined;
  /** With a process group of its own in our session. `foreground`: an fd of the terminal that it gets. */
  group?: { foreground: number | undefined } | undefined;
  /** The signals that are blocked for it. */
  blocked: readonly number[];
  /** What the caller ignores it ignores too; otherwise it begins with all signals at their default. */
  keepIgnored: boolean;
}

export type Spawned =
  /** `terminalRefused`: the terminal is another session's and stays there. */
  | { kind: 'running'; pid: number; terminalRefused: boolean }
  | { kind: 'cannotFork'; errno: number }
  | { kind: 'cannotExecute'; errno: number };

/**
 * Starts the command with this signal mask and most signals at their default dispositions. It has
 * exec'd when this returns, so no signal can find it without its session or in our own code.
 *
 * The file is looked up as execvp(3) does it (glibc, posix/execvpe.c), the shell for files without
 * `#!` included.
 */
export function spawn(command: Command): Spawned {
  const spawned = searchAndStart(command);
  if (command.terminal && command.terminal.kind !== 'none') close(command.terminal.fd);
  return spawned;
}

function searchAndStart(command: Command): Spawned {
  let denied = false;
  let errno = ENOENT;
  for (const file of candidates(command.file, command.path)) {
    const result = start(command, cString(file));
    if (typeof result !== 'number') return result;
    errno = result;
    if (errno === EAGAIN || errno === ENOMEM) return { kind: 'cannotFork', errno };
    denied ||= errno === EACCES;
    if (!TRY_NEXT.has(errno)) return { kind: 'cannotExecute', errno };
  }
  return { kind: 'cannotExecute', errno: denied ? EACCES : errno };
}

/** With these execvp goes on to the next folder of PATH. */
const TRY_NEXT: ReadonlySet<number> = new Set([EACCES, ENOENT, ESTALE, ENOTDIR, ENODEV, ETIMEDOUT]);

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

/** @returns the running child, or the errno of what failed */
function start(command: Command, file: Memory): Spawned | number {
  // Asking first spares a process for each folder without the file, and keeps a child that can't
  // exec from taking the terminal down with its session.
  const inaccessible = libcFaccessat(AT_FDCWD, file.address, X_OK, AT_EACCESS);
  if (inaccessible < 0) return -inaccessible;
  const result = startWithTerminal(command, file, command.argv);
  if (result !== ENOEXEC) return result;
  return startWithTerminal(command, cString('/bin/sh'), shellArguments(command, file));
}

function startWithTerminal(command: Command, file: Memory, argv: bigint): Spawned | number {
  const { terminal } = command;
  const attributes = spawnAttributes(command);
  const pid = allocate(4);
  const run = (actions: bigint) => {
    const error = posixSpawn(pid.address, file.address, actions, attributes, argv, command.envp);
    if (error !== 0) dropChildSignal(); // posix_spawn had a child, and has reaped it
    return error;
  };

  let error: number;
  let terminalRefused = false;
  const foreground = command.group?.foreground;
  if (terminal === undefined || terminal.kind === 'none') {
    error = run(foreground === undefined ? 0n : comeToForeground(foreground));
  } else {
    error = run(takeTerminal(terminal.fd));
    terminalRefused = error === ENOTTY; // by the tcsetpgrp
    if (terminalRefused) error = run(0n);
  }
  return error || { kind: 'running', pid: pid.bytes.readInt32LE(0), terminalRefused };
}

function spawnAttributes({ terminal, group, blocked, keepIgnored }: Command): bigint {
  const { address } = allocate(SIZEOF_POSIX_SPAWNATTR_T);
  // Real-time signals that the caller ignores stay ignored: 1.2.5 sets handlers for 1 to 31 only.
  // Without 32 and 33, posix_spawn would make the child ignore them (glibc, spawni.c).
  const defaults = [...(keepIgnored ? [] : SIGNALS.map(({ n }) => n)), ...LIBC_SIGNALS];
  const isolation = terminal ? POSIX_SPAWN_SETSID : group ? POSIX_SPAWN_SETPGROUP : 0;
  attrInit(address);
  attrSetflags(address, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | isolation);
  attrSetsigmask(address, signalSet(blocked).address);
  attrSetsigdefault(address, signalSet(defaults).address);
  return address;
}

/** The new process group becomes the terminal's foreground. `fd` is close-on-exec, or fd 0. */
function comeToForeground(fd: number): bigint {
  const { address } = allocate(SIZEOF_POSIX_SPAWN_FILE_ACTIONS_T);
  actionsInit(address);
  actionsAddtcsetpgrp(address, fd);
  return address;
}

/** @returns an fd of our controlling terminal, or -errno as tcsetpgrp(3) has it: on fd 0, or on /dev/tty if there is one */
export function foregroundTerminal(which: 'standard input' | '/dev/tty'): number {
  const opened = which === '/dev/tty' ? libcOpen(cString(which).address, O_RDWR | O_CLOEXEC) : -ENOENT;
  const fd = Math.max(opened, 0);
  const error = libcTcgetpgrp(fd);
  return error < 0 ? error : fd;
}

/**
 * posix_spawn has no TIOCSCTTY. But a session leader without a terminal gets the one it opens,
 * unless that is another session's (drivers/tty/tty_io.c, tty_open_proc_set_tty); then tcsetpgrp
 * on fd 0, which changes nothing otherwise, fails. `fd` is ours and not the child's: its number is
 * free to be used.
 */
function takeTerminal(fd: number): bigint {
  const { address } = allocate(SIZEOF_POSIX_SPAWN_FILE_ACTIONS_T);
  actionsInit(address);
  actionsAddopen(address, fd, TERMINAL.address, O_RDONLY | O_NONBLOCK, 0);
  actionsAddtcsetpgrp(address, 0);
  actionsAddclose(address, fd);
  return address;
}

/** `/bin/sh FILE ARGUMENT…`, for a file that the kernel doesn't know how to run. */
function shellArguments({ argv, argc }: Command, file: Memory): bigint {
  const list = allocate((argc + 2) * SIZEOF_POINTER);
  list.bytes.writeBigUInt64LE(cString('/bin/sh').address, 0);
  list.bytes.writeBigUInt64LE(file.address, SIZEOF_POINTER);
  memoryAt(argv, argc * SIZEOF_POINTER).bytes.copy(list.bytes, 2 * SIZEOF_POINTER, SIZEOF_POINTER);
  return list.address;
}
