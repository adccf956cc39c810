/** The scenes of the rehearsal: what happens to the program, and the command lines that it is given. */
import { ALL_SIGNALS, SIGCHLD, SIGCONT, SIGHUP, SIGTERM } from '../signals.ts';

export const OWN_PID = 1;
export const COMMAND = 7;
export const ORPHAN = 8;
export const SOMEBODY = 9;

/** A signal that comes, or a process that dies and is told of by SIGCHLD. */
export interface Death {
  dead: number;
  /** si_code, and si_status: an exit status or a signal. */
  code: number;
  status: number;
}
export type Happening = { n: number; sender: number } | Death;

export const signal = (n: number, sender = SOMEBODY): Happening => ({ n, sender });
export const exited = (pid: number, status = 0): Happening => ({ dead: pid, code: 1, status });
export const killed = (pid: number, n: number): Happening => ({ dead: pid, code: 2, status: n });

/** How the world is in which the program is rehearsed; what isn't said is as in most containers. */
export interface Scene {
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

/** Orphans, every signal, the end of the command, and of what is left. */
export const LIFE: readonly Happening[] = [
  ...ALL_SIGNALS.filter((n) => n !== SIGCHLD).map((n) => signal(n)),
  exited(ORPHAN),
  killed(ORPHAN, SIGTERM),
  signal(SIGCHLD),
  killed(COMMAND, SIGTERM),
  exited(ORPHAN, 1),
];

/** An ordinary life: so often are its few signals met that V8 has nothing left to learn of them. */
export const ORDINARY: readonly Happening[] = [
  ...Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? exited(ORPHAN) : signal([10, 28][i % 2] ?? 1))),
  signal(SIGTERM),
  exited(COMMAND),
];

/** Command lines of dumb-init. */
export const COMMAND_LINES: readonly string[] = [
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

export const VARIABLES: readonly string[][] = [
  ['DUMB_INIT_DEBUG=1', 'DUMB_INIT_SETSID=0'],
  ['DUMB_INIT_REWRITE=TERM:QUIT', 'DUMB_INIT_KILL_AFTER=10s', 'DUMB_INIT_WAIT_ALL=1', 'DUMB_INIT_LOG_EXIT=0'],
  ['DUMB_INIT_DELAY=never'],
];

export const TINI: readonly string[] = [
  '-- true',
  '-s -g -w -vvv -p SIGKILL -e 143 true',
  '-h',
  '-l',
  '--version',
  '-x',
  '-e 900 true',
  '',
];

export const CATATONIT: readonly string[] = ['-- true', '-g true', '-P', '-h', '-L', '-V', '-x', ''];

export const words = (argv0: string, line: string) => [argv0, ...line.split(' ').filter(Boolean)];

/** A terminal whose session we lead: its HUP and CONT come of the hand-off. */
export const ON_TERMINAL: Scene = {
  terminal: true,
  leader: true,
  happenings: [signal(SIGHUP, OWN_PID), signal(SIGCONT, OWN_PID), ...LIFE],
};
