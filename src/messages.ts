/** Every text that a user sees, to the byte. Texts hold bytes: one latin1 character each. */
import packageJson from '../package.json' with { type: 'json' };

const VERSION = packageJson.version;

const line = (text: string) => `[dumb-init] ${text}\n`;
const errnoText = (errno: number, strerror: string) => `(errno=${errno} ${strerror})`;

export const version = () => `dumb-init v${VERSION}\n`;

export const help = (argv0: string) => `${version()}\
Usage: ${argv0} [option] command [[arg] ...]

dumb-init is a simple process supervisor that forwards signals to children.
It is designed to run as PID1 in minimal container environments.

Optional arguments:
   -c, --single-child   Run in single-child mode.
                        In this mode, signals are only proxied to the
                        direct child and not any of its descendants.
   -r, --rewrite s:r    Rewrite received signal s to new signal r before proxying.
                        To ignore (not proxy) a signal, rewrite it to 0.
                        This option can be specified multiple times.
   -v, --verbose        Print debugging information to stderr.
   -h, --help           Print this help message and exit.
   -V, --version        Print the current version and exit.

Full help is available online at https://github.com/Yelp/dumb-init
`;

export const noCommand = (argv0: string) => `\
Usage: ${argv0} [option] program [args]
Try ${argv0} --help for full usage.
`;

export const badRewrite = () => `\
Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.
This option can be specified multiple times.
Use --help for full usage.
`;

// The wording of glibc's getopt_long (posix/getopt.c), which existing scripts may look for.
export const unrecognizedOption = (argv0: string, option: string) => `${argv0}: unrecognized option '--${option}'\n`;
export const invalidOption = (argv0: string, letter: string) => `${argv0}: invalid option -- '${letter}'\n`;
export const missingArgument = (argv0: string, letter: string) =>
  `${argv0}: option requires an argument -- '${letter}'\n`;
export const missingLongArgument = (argv0: string, name: string) =>
  `${argv0}: option '--${name}' requires an argument\n`;
export const surplusArgument = (argv0: string, name: string) =>
  `${argv0}: option '--${name}' doesn't allow an argument\n`;
export const ambiguousOption = (argv0: string, option: string, names: readonly string[]) =>
  `${argv0}: option '--${option}' is ambiguous; possibilities:${names.map((name) => ` '--${name}'`).join('')}\n`;

export const cannotExecute = (command: string, strerror: string) => line(`${command}: ${strerror}`);
export const cannotFork = () => line('Unable to fork. Exiting.');
export const internalError = (text: string) => line(`Unable to start: ${text}. Exiting.`);

export const debugMode = () => line('Running in debug mode.');
export const notSetsidMode = () => line('Not running in setsid mode.');
export const cannotDetach = (errno: number, strerror: string) =>
  line(`Unable to detach from controlling tty ${errnoText(errno, strerror)}.`);
export const detached = () => line('Detached from controlling tty, ignoring the first SIGHUP and SIGCONT we receive.');
export const detachedNotLeader = () => line('Detached from controlling tty, but was not session leader.');
export const spawned = (pid: number) => line(`Child spawned with PID ${pid}.`);
export const cannotChdir = (errno: number, strerror: string) =>
  line(`Unable to chdir("/") ${errnoText(errno, strerror)}`);
export const cannotAttach = (errno: number, strerror: string) =>
  line(`Unable to attach to controlling tty ${errnoText(errno, strerror)}.`);
export const setsidComplete = () => line('setsid complete.');

export const received = (n: number) => line(`Received signal ${n}.`);
export const ignoringHandoff = (n: number) => line(`Ignoring tty hand-off signal ${n}.`);
export const translating = (from: number, to: number) => line(`Translating signal ${from} to ${to}.`);
export const forwarded = (n: number) => line(`Forwarded signal ${n} to children.`);
export const notForwarding = (n: number) => line(`Not forwarding signal ${n} to children (ignored).`);
export const suspending = () => line('Suspending self due to TTY signal.');
export const childExited = (pid: number, code: number) =>
  line(`A child with PID ${pid} exited with exit status ${code}.`);
export const childKilled = (pid: number, n: number) => line(`A child with PID ${pid} was terminated by signal ${n}.`);
export const goodbye = (status: number) => line(`Child exited with status ${status}. Goodbye.`);
