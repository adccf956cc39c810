/** Real processes for tests: started, watched by state, and never left behind. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** The hard limit on anything a test waits for. Reached only when something is wrong. */
export const LIMIT_MS = 60_000;

/** The executable under test, and Debian's dumb-init 1.2.5 beside it. */
export const OURS = `${process.cwd()}/build/dumb-init`;
export const ORACLE = '/usr/bin/dumb-init';

/** The path of a compiled program of test/fixtures. */
export const fixture = (name: string) => `${process.cwd()}/build/test/${name}`;

export interface Result {
  /** The exit status, 128 + n for one that was killed, as a shell has it. */
  status: number;
  /** What was written, one latin1 character a byte. */
  stdout: string;
  stderr: string;
}

export interface Options {
  cwd?: string;
  /** The whole environment; the test's own unless given. */
  env?: Record<string, string>;
  /** argv[0], if not the command. */
  argv0?: string;
  /** Bytes for standard input, which is empty otherwise. */
  input?: string;
  /** Leaves standard input open, for `write` and `endInput`. */
  interactive?: boolean;
  /** How long it may take, if more than LIMIT_MS. */
  limitMs?: number;
}

export interface Running {
  pid: number;
  /** What has been written until now. */
  stdout(): string;
  stderr(): string;
  signal(n: number | NodeJS.Signals): void;
  /** Bytes for a standard input that was left open, and its end. */
  write(bytes: string): void;
  endInput(): void;
  /** Waits until standard output holds this. */
  prints(text: string | RegExp): Promise<void>;
  ended: Promise<Result>;
}

/** Starts a command in a process group of its own. After its time limit it and all that came of it get a SIGKILL. */
export function start(command: string, args: readonly string[], options: Options = {}): Running {
  const { cwd, env, argv0, input = '', interactive = false, limitMs = LIMIT_MS } = options;
  const child = spawn(command, args, {
    detached: true,
    stdio: 'pipe',
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    ...(argv0 === undefined ? {} : { argv0 }),
  });
  const pid = child.pid ?? 0;
  child.stdin.on('error', () => {}); // the command may end without having read it
  child.stdin.write(input, 'latin1');
  if (!interactive) child.stdin.end();
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('latin1').on('data', (text: string) => {
    stderr += text;
  });

  const ended = new Promise<Result>((resolve, reject) => {
    const limit = setTimeout(() => {
      killTree(pid);
      // An orphan out of its reach may hold the other ends; it ends with the namespace of the tests.
      for (const stream of child.stdio) stream?.destroy();
      reject(new Error(`${command} ${args.join(' ')}: still there after ${limitMs} ms\n${tail(stdout + stderr)}`));
    }, limitMs);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      resolve({ status: code ?? 128 + signalNumber(signal), stdout, stderr });
    });
  });
  ended.catch(() => {}); // whoever awaits it hears of it
  return {
    pid,
    stdout: () => stdout,
    stderr: () => stderr,
    signal: (n) => process.kill(pid, n),
    write: (bytes) => child.stdin.write(bytes, 'latin1'),
    endInput: () => child.stdin.end(),
    prints: (text) =>
      waitUntil(
        () => (typeof text === 'string' ? stdout.includes(text) : text.test(stdout)),
        () => `${text} in the output, which is:\n${tail(stdout + stderr)}`,
      ),
    ended,
  };
}

/** Before a command: it is PID 1 of a PID namespace of its own, with its own /proc, and ends with this. */
export const AS_PID_1 = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child', '--'] as const;

/** Starts a command as PID 1: the first child of what is running. */
export function asPid1(words: readonly string[], options: Options = {}): Running {
  const [command, ...args] = AS_PID_1;
  return start(command, [...args, ...words], options);
}

const tail = (text: string) => text.slice(-2000);

/** Runs a command to its end. */
export function run(command: string, args: readonly string[], options: Options = {}): Promise<Result> {
  return start(command, args, options).ended;
}

/** Waits for a state, not for a time. */
export async function waitUntil(
  reached: () => boolean,
  what: string | (() => string),
  limitMs = LIMIT_MS,
): Promise<void> {
  for (const end = Date.now() + limitMs; !reached(); await sleep(2)) {
    if (Date.now() > end) throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`);
  }
}

/** A field of /proc/PID/status, such as `State` or `SigBlk`; '' when there is no such process. */
export function processStatus(pid: number | string, field: string): string {
  const text = readProc(`${pid}/status`);
  return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
}

/** A field that is in KiB. */
export const statusKib = (pid: number | string, field: string): number =>
  Number.parseInt(processStatus(pid, field), 10);

/** One letter: R, S, T (stopped), Z (zombie)…; '' when there is no such process. */
export const processState = (pid: number | string): string => processStatus(pid, 'State').charAt(0);

/** The signals that are pending for a process, bit n-1 for signal n; undefined when there is no such process. */
function pendingSignals(pid: number): bigint | undefined {
  const mask = processStatus(pid, 'ShdPnd');
  return mask === '' ? undefined : BigInt(`0x${mask}`);
}

/** Whether a signal, or any (0), waits to be taken by a process. */
export function isPending(pid: number, n: number): boolean {
  const pending = pendingSignals(pid) ?? 0n;
  return n === 0 ? pending !== 0n : (pending & (1n << BigInt(n - 1))) !== 0n;
}

/** Whether an init waits for the next signal, and none is pending. */
export const isSettled = (pid: number): boolean => processState(pid) === 'S' && pendingSignals(pid) === 0n;

/** The PIDs of the children of a process. */
export function childrenOf(pid: number): number[] {
  return readProc(`${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

/** The PID of the first child of a process, or of the first of that name; there must be one. */
export function firstChild(pid: number, name?: string): number {
  const found = childrenOf(pid).find((child) => name === undefined || processStatus(child, 'Name') === name);
  if (found === undefined) throw new Error(`process ${pid} has no child ${name ?? ''}`); // and kill(0) has a meaning
  return found;
}

/** A file of /proc as it is now; '' when the process is gone. */
export function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return '';
  }
}

/** SIGKILL to a process, its descendants, and the sessions that these lead. */
function killTree(root: number): void {
  const doomed = new Set([root]);
  const everybody = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  for (let size = 0; size !== doomed.size; ) {
    size = doomed.size;
    for (const pid of everybody) {
      const [, parent = 0, , session = 0] = readProc(`${pid}/stat`).replace(/.*\) /, '').split(' ').map(Number);
      if (doomed.has(parent) || doomed.has(session)) doomed.add(pid);
    }
  }
  for (const pid of doomed) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended meanwhile
    }
  }
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : constants.signals[signal];
}
