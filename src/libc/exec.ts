/** The exec of the command, as execvp(3) does it: the search in PATH, and the shell for files without `#!`. */
import {
  EACCES,
  ENODEV,
  ENOENT,
  ENOEXEC,
  ENOTDIR,
  ESTALE,
  ETIMEDOUT,
  PATH_MAX,
  SIZEOF_POINTER,
  SYSTEM_CALLS,
} from '../abi.ts';
import { type ChildStep, errorSet, exit } from './child-steps.ts';
import { allocate, bytesAt, cString, words64 } from './ffi.ts';

/** What execvp searches when PATH is unset (glibc, _CS_PATH). */
const DEFAULT_PATH = '/bin:/usr/bin';

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

const SHELL = cString('/bin/sh').address;

/** What is to be executed. */
export interface Program {
  /** Its name as given, bytes as latin1. */
  readonly file: string;
  /** Address of its argument array, as execve(2) takes it, and how many arguments there are. */
  readonly argv: bigint;
  readonly argc: number;
  /** Address of its environment, as execve(2) takes it. */
  readonly envp: bigint;
  /** The value of PATH, if it is set. */
  readonly path: string | undefined;
}

/** Exit statuses of the child for an exec that failed. */
export interface ExecStatuses {
  readonly notFound: number;
  readonly denied: number;
  readonly other: number;
}

/**
 * An exec for each place where the file may be, and after it one of `/bin/sh FILE ARGUMENT…`, for a file that the
 * kernel doesn't know how to run; `otherwise` follows after an error that ends the search.
 */
export function execSteps({ file, path, argv, argc, envp }: Program, otherwise: ChildStep): ChildStep[] {
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
    const direct: ChildStep = { call, arguments: [address, argv, envp], goesOn: TRY_NEXT_OR_SHELL, otherwise };
    const byShell: ChildStep = {
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
export function endings(execs: readonly ChildStep[], { notFound, denied }: ExecStatuses): ChildStep[] {
  const last = execs.slice(-2);
  const asDenied = exit(denied);
  return [
    ...(last.length === 0 ? [exit(notFound)] : []),
    ...execs.map((after) => ({ ...asDenied, only: { after, errno: EACCES } })),
    ...last.map((after) => ({ ...exit(notFound), only: { after, errno: ENOENT } })),
  ];
}

/** The errno that execvp(3) would have left; 0 if one of the execs has worked. */
export function execFailure(execs: readonly ChildStep[], errorOf: (step: ChildStep) => number): number {
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
