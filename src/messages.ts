/** Every text that a user sees, to the byte. Texts hold bytes: one latin1 character each. */
import packageJson from '../package.json' with { type: 'json' };
import { OPTIONS, type OptionRow } from './option-table.ts';
import { ALL_SIGNALS, signalName } from './signals.ts';
import type { Failure, Fields, Identity, Reason } from './voice.ts';
import { type Ending, exitStatus } from './wait-status.ts';

const VERSION = packageJson.version;

/**
 * What others have named, so that it stays one line and no terminal obeys it: whatever is no printable text in UTF-8 as
 * `\\xNN`, and the backslash doubled.
 */
function harmless(bytes: string): string {
  const escaped = (text: string) =>
    Array.from(Buffer.from(text), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  const valid = Buffer.from(text).toString('latin1') === bytes;
  const shown = valid
    ? text.replaceAll('\\', '\\\\').replace(/[^\P{C}\u00ad]|[\u2028\u2029]/gu, escaped)
    : bytes
        .replaceAll('\\', '\\\\')
        .replace(/[^ -~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return Buffer.from(shown).toString('latin1');
}

/** A word as a shell reads it; `$'…'` where one of POSIX can't have it on one line. */
export function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  const shown = harmless(word);
  return shown === word.replaceAll('\\', '\\\\')
    ? `'${word.replaceAll("'", "'\\''")}'`
    : `$'${shown.replaceAll("'", "\\'")}'`;
}

const line = (text: string, event: string, fields: Omit<Fields, 'event'> = {}) => ({
  text: `[dumb-init] ${text}\n`,
  fields: { event, ...fields },
});
const failed = ({ errno, text }: Failure) => ({ errno, error: text });
const ofSignal = (n: number) => ({ signal: n, signal_name: signalName(n) });
/** How a process ended: its status as a shell has it, and the signal that killed it. */
const ofEnding = (end: Ending) => ({
  status: exitStatus(end),
  ...(end.kind === 'signaled' ? ofSignal(end.signal) : {}),
});
const reason = ({ errno, text }: Failure) => `(errno=${errno} ${text})`;

/** For the personalities that are asked for a licence. */
export const LICENSE = `\
dumb-init v${VERSION}, under the MIT License: https://spdx.org/licenses/MIT
It also holds Node, glibc and the GCC runtime libraries, under their own licences.
`;

export const version = () => `dumb-init v${VERSION}\n`;

/** Width of the left column of --help. */
const COLUMN = 24;
/** Width of a whole line of --help-all. */
const LINE = 100;

/** An option in --help: what is written to the left, and its lines to the right. */
function helpEntry({ letter, name, argument }: OptionRow, lines: readonly string[]): string {
  const left = `   ${letter ? `-${letter}, ` : ''}--${name}${argument ? ` ${argument}` : ''}`;
  const indented = lines.map((text) => `${' '.repeat(COLUMN)}${text}\n`).join('');
  return left.length < COLUMN ? left + indented.slice(left.length) : `${left}\n${indented}`;
}

function wrapped(text: string): string[] {
  return text.match(new RegExp(`.{1,${LINE - COLUMN}}(?: |$)`, 'g'))?.map((line) => line.trimEnd()) ?? [];
}

const usage = (argv0: string) => `${version()}\
Usage: ${argv0} [option] command [[arg] ...]

dumb-init is a simple process supervisor that forwards signals to children.
It is designed to run as PID1 in minimal container environments.

Optional arguments:
${[...'crvhV']
  .map((letter) => OPTIONS.find((row) => row.letter === letter))
  .map((row) => (row ? helpEntry(row, row.original ?? []) : ''))
  .join('')}`;

export const help = (argv0: string) => `${usage(argv0)}
Full help is available online at https://github.com/Yelp/dumb-init
`;

/** What --help leaves out, for programs read that. */
export const helpAll = (argv0: string) => `${usage(argv0)}
Beyond dumb-init 1.2.5, never abbreviated:
${OPTIONS.filter(({ original }) => !original)
  .map((row) => helpEntry(row, wrapped(row.summary + (row.variable ? ` (${row.variable})` : ''))))
  .join('')}
A signal is a number or a name, such as 15, TERM, SIGTERM or RTMIN+3.
Each variable does what its option does; the option has the last word.
`;

export const signalList = () => ALL_SIGNALS.map((n) => `${String(n).padStart(2)} ${signalName(n)}\n`).join('');

export const noCommand = (argv0: string) => `\
Usage: ${argv0} [option] program [args]
Try ${argv0} --help for full usage.
`;

export const badRewrite = () => `\
Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.
This option can be specified multiple times.
Use --help for full usage.
`;

/** A mistake on the command line or in a variable. */
export const usageError = (text: string, status: number) => ({ text, fields: { event: 'usage_error', status } });

export const badValue = (argv0: string, what: string, takes: string, value: string) =>
  `${harmless(argv0)}: ${what} takes ${takes}, not '${harmless(value)}'\n`;
export const pauseWithCommand = (argv0: string) => `${harmless(argv0)}: with --pause there is no command\n`;

export const cannotExecute = (command: string, failure: Failure) =>
  line(`${command}: ${failure.text}`, 'exec_failed', { command, ...failed(failure) });
export const cannotSetsid = (failure: Failure) =>
  line(`Unable to setsid ${reason(failure)}. Exiting.`, 'setsid_failed', failed(failure));
export const cannotFork = (failure: Failure) => line('Unable to fork. Exiting.', 'fork_failed', failed(failure));
export const unableToStart = (error: string) => line(`Unable to start: ${error}. Exiting.`, 'start_failed', { error });
/** For an error of our own while the command runs: the work goes on. */
export const internalError = (error: string) => line(`Internal error: ${error}.`, 'internal_error', { error });

export const debugMode = () => line('Running in debug mode.', 'debug_mode');
export const notSetsidMode = () => line('Not running in setsid mode.', 'no_setsid_mode');
export const cannotDetach = (failure: Failure) =>
  line(`Unable to detach from controlling tty ${reason(failure)}.`, 'detach_failed', failed(failure));
export const detached = () =>
  line('Detached from controlling tty, ignoring the first SIGHUP and SIGCONT we receive.', 'detached', {
    session_leader: true,
  });
export const detachedNotLeader = () =>
  line('Detached from controlling tty, but was not session leader.', 'detached', { session_leader: false });
export const spawned = (pid: number, command: string) =>
  line(`Child spawned with PID ${pid}.`, 'command_started', { child_pid: pid, command });
export const cannotChdir = (failure: Failure) =>
  line(`Unable to chdir("/") ${reason(failure)}`, 'chdir_failed', failed(failure));
export const cannotAttach = (failure: Failure) =>
  line(`Unable to attach to controlling tty ${reason(failure)}.`, 'attach_failed', failed(failure));
export const setsidComplete = () => line('setsid complete.', 'session_started');

/** A signal, and how it shall be shown. */
interface Shown {
  readonly n: number;
  readonly text: string;
}

export const received = ({ n, text }: Shown) => line(`Received signal ${text}.`, 'signal_received', ofSignal(n));
export const ignoringHandoff = ({ n, text }: Shown) =>
  line(`Ignoring tty hand-off signal ${text}.`, 'handoff_signal_ignored', ofSignal(n));
export const translating = (from: Shown, to: Shown) =>
  line(`Translating signal ${from.text} to ${to.text}.`, 'signal_rewritten', {
    ...ofSignal(from.n),
    rewritten_to: to.n,
  });
export const forwarded = ({ n, text }: Shown) =>
  line(`Forwarded signal ${text} to children.`, 'signal_forwarded', ofSignal(n));
export const notForwarding = ({ text }: Shown) =>
  line(`Not forwarding signal ${text} to children (ignored).`, 'signal_dropped');
export const suspending = () => line('Suspending self due to TTY signal.', 'suspending');
export const childExited = (pid: number, code: number) =>
  line(`A child with PID ${pid} exited with exit status ${code}.`, 'reaped', { child_pid: pid, status: code });
export const childKilled = (pid: number, { n, text }: Shown) =>
  line(`A child with PID ${pid} was terminated by signal ${text}.`, 'reaped', {
    child_pid: pid,
    ...ofEnding({ kind: 'signaled', signal: n }),
  });
export const goodbye = (status: number) =>
  line(`Child exited with status ${status}. Goodbye.`, 'command_ended', { status });

// What dumb-init 1.2.5 has no line for.
export const delaying = ({ n, text }: Shown, ms: number) =>
  line(`Holding back signal ${text} for ${ms} ms.`, 'signal_held_back', { ...ofSignal(n), delay_ms: ms });
export const merging = ({ n, text }: Shown) =>
  line(`Signal ${text} is held back already.`, 'signal_merged', ofSignal(n));
export const forcing = () => line('Time is up: sending SIGKILL to all that is left.', 'time_is_up');
export const dropped = (count: number) =>
  line(`Dropped ${count} line${count === 1 ? '' : 's'} that nobody read.`, 'lines_dropped', { count });
export const waiting = () => line('Waiting for all that is left.', 'waiting');

const named = (n: number) => `signal ${n} (${signalName(n)})`;
const how = (end: Ending) =>
  end.kind === 'exited' ? `exited with status ${end.code}` : `was terminated by ${named(end.signal)}`;

/** @param who the name, process group and session of the dead process, if they could be read */
export const orphanReaped = (pid: number, end: Ending, who: Identity | undefined) =>
  line(
    who
      ? `Reaped orphan ${pid} (${harmless(who.name)}), of process group ${who.group} in session ${who.session}: it ${how(end)}.`
      : `Reaped orphan ${pid}: it ${how(end)}.`,
    'orphan_reaped',
    {
      child_pid: pid,
      ...ofEnding(end),
      ...(who ? { command: who.name, process_group: who.group, session: who.session } : {}),
    },
  );

export const exiting = ({ status, command, passedOn, forced }: Reason) => {
  const parts = command ? [`the command (PID ${command.pid}) ${how(command.end)}`] : ['pausing is over'];
  if (passedOn !== undefined) parts.push(`the last signal was ${named(passedOn)}`);
  if (forced) parts.push('time was up and SIGKILL sent');
  if (command && command.status !== status) parts.push(`status ${command.status} is mapped to ${status}`);
  return line(`Exiting with status ${status}: ${parts.join('; ')}.`, 'exiting', {
    ...(command ? { child_pid: command.pid, ...ofEnding(command.end) } : {}),
    status,
    ...(command ? { command_status: command.status } : {}),
    ...(passedOn === undefined ? {} : { last_signal: passedOn, last_signal_name: signalName(passedOn) }),
    forced,
  });
};
