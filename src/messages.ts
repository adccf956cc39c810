/** Every text that a user sees, to the byte. Texts hold bytes: one latin1 character each. */
import packageJson from '../package.json' with { type: 'json' };
import { OPTIONS, type OptionRow } from './option-table.ts';
import { ALL_SIGNALS, signalName } from './signals.ts';
import type { Failure, Identity, Reason } from './voice.ts';
import type { Ending } from './wait-status.ts';

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

const line = (text: string) => `[dumb-init] ${text}\n`;
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

export const badValue = (argv0: string, what: string, takes: string, value: string) =>
  `${harmless(argv0)}: ${what} takes ${takes}, not '${harmless(value)}'\n`;
export const pauseWithCommand = (argv0: string) => `${harmless(argv0)}: with --pause there is no command\n`;

export const cannotExecute = (command: string, { text }: Failure) => line(`${command}: ${text}`);
export const cannotSetsid = (failure: Failure) => line(`Unable to setsid ${reason(failure)}. Exiting.`);
export const cannotFork = () => line('Unable to fork. Exiting.');
export const unableToStart = (text: string) => line(`Unable to start: ${text}. Exiting.`);
/** For an error of our own while the command runs: the work goes on. */
export const internalError = (text: string) => line(`Internal error: ${text}.`);

export const debugMode = () => line('Running in debug mode.');
export const notSetsidMode = () => line('Not running in setsid mode.');
export const cannotDetach = (failure: Failure) => line(`Unable to detach from controlling tty ${reason(failure)}.`);
export const detached = () => line('Detached from controlling tty, ignoring the first SIGHUP and SIGCONT we receive.');
export const detachedNotLeader = () => line('Detached from controlling tty, but was not session leader.');
export const spawned = (pid: number) => line(`Child spawned with PID ${pid}.`);
export const cannotChdir = (failure: Failure) => line(`Unable to chdir("/") ${reason(failure)}`);
export const cannotAttach = (failure: Failure) => line(`Unable to attach to controlling tty ${reason(failure)}.`);
export const setsidComplete = () => line('setsid complete.');

/** A signal by its number, or as it shall be shown. */
type Shown = number | string;

export const received = (n: Shown) => line(`Received signal ${n}.`);
export const ignoringHandoff = (n: Shown) => line(`Ignoring tty hand-off signal ${n}.`);
export const translating = (from: Shown, to: Shown) => line(`Translating signal ${from} to ${to}.`);
export const forwarded = (n: Shown) => line(`Forwarded signal ${n} to children.`);
export const notForwarding = (n: Shown) => line(`Not forwarding signal ${n} to children (ignored).`);
export const suspending = () => line('Suspending self due to TTY signal.');
export const childExited = (pid: number, code: number) =>
  line(`A child with PID ${pid} exited with exit status ${code}.`);
export const childKilled = (pid: number, n: Shown) => line(`A child with PID ${pid} was terminated by signal ${n}.`);
export const goodbye = (status: number) => line(`Child exited with status ${status}. Goodbye.`);

// What dumb-init 1.2.5 has no line for.
export const delaying = (n: Shown, ms: number) => line(`Holding back signal ${n} for ${ms} ms.`);
export const merging = (n: Shown) => line(`Signal ${n} is held back already.`);
export const forcing = () => line('Time is up: sending SIGKILL to all that is left.');
export const dropped = (count: number) => line(`Dropped ${count} line${count === 1 ? '' : 's'} that nobody read.`);
export const waiting = () => line('Waiting for all that is left.');

const named = (n: number) => `signal ${n} (${signalName(n)})`;
const how = (end: Ending) =>
  end.kind === 'exited' ? `exited with status ${end.code}` : `was terminated by ${named(end.signal)}`;

/** @param who the name, process group and session of the dead process, if they could be read */
export const orphanReaped = (pid: number, end: Ending, who: Identity | undefined) =>
  line(
    who
      ? `Reaped orphan ${pid} (${harmless(who.name)}), of process group ${who.group} in session ${who.session}: it ${how(end)}.`
      : `Reaped orphan ${pid}: it ${how(end)}.`,
  );

export const exiting = ({ status, command, passedOn, forced }: Reason) => {
  const parts = command ? [`the command (PID ${command.pid}) ${how(command.end)}`] : ['pausing is over'];
  if (passedOn !== undefined) parts.push(`the last signal was ${named(passedOn)}`);
  if (forced) parts.push('time was up and SIGKILL sent');
  if (command && command.status !== status) parts.push(`status ${command.status} is mapped to ${status}`);
  return line(`Exiting with status ${status}: ${parts.join('; ')}.`);
};
