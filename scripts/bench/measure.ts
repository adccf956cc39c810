/** What the bench asks of the probe (probe.c) and of /proc. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** The probe's REPORT_FD. */
export const REPORT = '100';

/** The commands as the probe takes them. */
export const words = (commands: readonly string[][]) => commands.flatMap((command) => ['+', ...command]);

/** Runs the probe; @returns its lines as numbers. */
export function runProbe(probe: string, args: (string | number)[], commands: readonly string[][]): number[][] {
  const output = execFileSync(probe, [...args.map(String), ...words(commands)], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return numbers(output);
}

/** Lines of numbers. */
export const numbers = (text: string): number[][] =>
  text
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number));

/** One column of the lines that begin with the index of a command. */
export function samplesOf(command: number, lines: readonly number[][], column: number): number[] {
  return lines.filter(([index]) => index === command).map((line) => line[column] ?? 0);
}

/** A field in KiB of proc_pid_smaps(5), in bytes. */
export function memory(pid: number, field: string): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return 1024 * Number(new RegExp(`^${field}: +([0-9]+)`, 'm').exec(rollup)?.[1]);
}

/** How many threads a process has. */
export const threads = (pid: number) => readdirSync(`/proc/${pid}/task`).length;

/** What `strace -f` has seen of one start by the probe: system calls of the init, and of its child until its exec. */
export function callsOf(trace: string): { toClone: number; toExec: number } {
  const lines = trace.split('\n').filter((line) => /^\d+ +\w+\(/.test(line)); // a call that is resumed was counted
  const prober = /^\d+/.exec(trace)?.[0];
  const calls = lines.filter((line) => !line.startsWith(`${prober} `)).map((line) => line.replace(/^\d+ +/, ''));
  const begun = calls.slice(calls.findIndex((call) => call.startsWith('execve(')) + 1);
  const cloned = begun.findIndex((call) => /^(clone3?|v?fork)\(/.test(call));
  const executed = begun.findIndex((call) => call.startsWith('execve('));
  return { toClone: cloned + 1, toExec: executed + 1 };
}
