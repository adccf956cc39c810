/** Wiring only: arguments, options, spawn, signal loop, exit status. */
import { decide, type Event, initialState, type State } from './decide.ts';
import { EACCES, EPERM } from './libc/abi.ts';
import { strerror } from './libc/ffi.ts';
import { handover } from './libc/handover.ts';
import { restoreSoftLimits } from './libc/limits.ts';
import { giveBackMemory } from './libc/memory.ts';
import { chdirToRoot, close, detachFromTerminal, exit, leadsSession, ownPid, writeError } from './libc/process.ts';
import { argumentsFrom, argumentWords, environmentAddress, environmentVariable } from './libc/process-image.ts';
import { nextSignal, pendingSignal, type Received, seconds, signalSet } from './libc/signal-source.ts';
import { childTerminal, reopenTerminal, spawn } from './libc/spawn.ts';
import * as messages from './messages.ts';
import { type Options, parseOptions } from './options.ts';
import { perform } from './perform.ts';
import { SIGCONT, SIGHUP } from './signals.ts';

/** From the command line to a running command. What can fail, fails here, and ends the process. */
function start(): { state: State; early: Received[] } {
  // The libraries are loaded; their memfds are not for the child.
  handover.memfds.forEach(close);

  const words = argumentWords();
  const parsed = parseOptions(words, environmentVariable);
  if (parsed.kind !== 'run') {
    writeError(parsed.text);
    exit(parsed.status);
  }
  const { options } = parsed;
  const debug = debugWriter(options);
  if (options.fromEnvironment.debug) debug(messages.debugMode());
  if (options.fromEnvironment.noSetsid) debug(messages.notSetsidMode());

  const { detachedAsLeader, terminal, early } = options.singleChild ? sameSession : leaveTerminal(debug);
  const sessionMade = (attachErrno: number) => {
    if (attachErrno !== 0) debug(messages.cannotAttach(attachErrno, strerror(attachErrno)));
    debug(messages.setsidComplete());
  };
  if (terminal?.kind === 'none') sessionMade(terminal.errno);
  if (terminal?.kind === 'free') sessionMade(0);

  restoreSoftLimits();
  const file = words[options.command] ?? '';
  const child = spawn({
    file,
    argv: argumentsFrom(options.command),
    argc: words.length - options.command,
    envp: environmentAddress,
    path: environmentVariable('PATH'),
    terminal,
  });
  if (child.kind === 'cannotFork') {
    writeError(messages.cannotFork());
    exit(1);
  }
  if (child.kind === 'cannotExecute') {
    writeError(messages.cannotExecute(file, strerror(child.errno)));
    exit(2);
  }
  if (terminal?.kind === 'unknown') sessionMade(child.terminalRefused ? EPERM : 0);
  debug(messages.spawned(child.pid));
  const error = chdirToRoot();
  if (error < 0) debug(messages.cannotChdir(-error, strerror(-error)));

  const state = initialState({
    child: child.pid,
    setsid: !options.singleChild,
    verbose: options.verbose,
    rewrites: options.rewrites,
    detachedAsLeader,
  });
  return { state, early };
}

function debugWriter({ verbose }: Options): (text: string) => void {
  return verbose ? writeError : () => {};
}

const sameSession = { detachedAsLeader: false, terminal: undefined, early: [] };

/** Frees the controlling terminal for the child's session. */
function leaveTerminal(debug: (text: string) => void) {
  const fd = reopenTerminal();
  const leader = leadsSession();
  // What can't be opened again, the child can't get (posix_spawn has no TIOCSCTTY). We keep it then:
  // what is typed or happens there, Ctrl-C and a hang-up among it, reaches us and is forwarded.
  const error = leader && fd === -EACCES ? fd : detachFromTerminal();
  const early: Received[] = [];
  if (error < 0) {
    debug(messages.cannotDetach(-error, strerror(-error)));
  } else if (leader) {
    debug(messages.detached());
    // The kernel has sent us HUP and CONT. Taken off the queue now, they can't swallow somebody's
    // real ones, for of a standard signal no second is queued.
    const handoff = signalSet([SIGHUP, SIGCONT]);
    for (let signal = pendingSignal(handoff); signal; signal = pendingSignal(handoff)) early.push(signal);
  } else {
    debug(messages.detachedNotLeader());
  }
  return { detachedAsLeader: error === 0 && leader, terminal: childTerminal(fd, error === 0, leader), early };
}

/** So long after the start without a signal, memory is given back: a short life does not pay for that. */
const QUIET = seconds(1);

/** The life of an init. A PID 1 that dies takes the container along: from here on nothing may throw. */
function loop(state: State, early: readonly Received[]): never {
  const handle = (event: Event): void => {
    const [next, actions] = decide(state, event);
    state = next;
    for (const action of actions) perform(action, handle);
  };
  const take = ({ n, sender }: Received) => handle({ type: 'signal', n, handoff: sender === ownPid });
  early.forEach(take);
  for (let quiet = false; ; ) {
    const signal = nextSignal(quiet ? undefined : QUIET);
    if (signal) {
      take(signal);
    } else if (!quiet) {
      quiet = true;
      giveBackMemory();
    }
  }
}

function main(): never {
  try {
    const { state, early } = start();
    return loop(state, early);
  } catch (error) {
    writeError(messages.internalError(error instanceof Error ? error.message : String(error)));
    exit(1);
  }
}

main();
