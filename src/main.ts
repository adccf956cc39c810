/** Wiring only: arguments, options, spawn, signal loop, exit status. */
import { decide, type Event, initialState, type State, type TimerId } from './decide.ts';
import { explain } from './explain.ts';
import { EACCES, EPERM } from './libc/abi.ts';
import { strerror, strsignal } from './libc/ffi.ts';
import { handover } from './libc/handover.ts';
import { restoreSoftLimits } from './libc/limits.ts';
import { giveBackMemory } from './libc/memory.ts';
import {
  becomeSubreaper,
  chdirToRoot,
  close,
  closeInherited,
  detachFromTerminal,
  exit,
  leadsSession,
  ownPid,
  reapsOrphans,
  setParentDeathSignal,
  write,
} from './libc/process.ts';
import {
  argumentsAt,
  argumentsFrom,
  argumentWords,
  environmentAddress,
  environmentVariable,
} from './libc/process-image.ts';
import { nextSignal, pendingSignal, type Received, signalSet, signalsOf } from './libc/signal-source.ts';
import { childTerminal, foregroundTerminal, reopenTerminal, spawn, type Terminal } from './libc/spawn.ts';
import { formatter } from './log.ts';
import * as messages from './messages.ts';
import type { Options } from './options.ts';
import { perform } from './perform.ts';
import { type Personality, personalityOf, type Self } from './personality.ts';
import { SIGCONT, SIGHUP } from './signals.ts';
import { Timers } from './timers.ts';
import type { Voice } from './voice.ts';

const self: Self = { pid: ownPid, describe: strsignal };

/** What is left to do when the command runs. */
interface Begun {
  state: State;
  early: readonly Received[];
  writeLine: (line: string) => void;
  identify: boolean;
}

/** From the command line to a running command. What can fail, fails here, and ends the process. */
function start(): Begun {
  // The libraries are loaded; their memfds are not for the child.
  handover.memfds.forEach(close);

  const words = argumentWords();
  const personality = personalityOf(words[0] ?? '');
  const parsed = personality.parse(words, environmentVariable, self);
  if (parsed.kind !== 'run') {
    write('stdout' in parsed ? 1 : 2, parsed.text);
    exit(parsed.status);
  }
  const { options } = parsed;
  const { fromEnvironment, singleChild, rewrites } = options;
  const voice = personality.voice(options, self);
  const format = formatter(options.logFormat, ownPid, () => new Date());
  const writeLine = (line: string) => write(personality.stream(line), format(line));
  const say = (line: string | undefined) => {
    if (line !== undefined) writeLine(line);
  };
  const setsid = personality.foreground === undefined && !singleChild;
  if (options.explain) {
    const terminal = reopenTerminal() >= 0;
    write(2, explain(options, words.slice(options.command), { pid: ownPid, leader: leadsSession(), terminal }));
    exit(0);
  }

  if (fromEnvironment.debug) say(voice.debugMode?.());
  if (fromEnvironment.noSetsid) say(voice.notSetsidMode?.());
  if (options.parentDeathSignal !== 0) setParentDeathSignal(options.parentDeathSignal);
  if (options.subreaper) {
    becomeSubreaper();
    say(voice.subreaper?.());
  }
  if (voice.notReaper && !reapsOrphans()) say(voice.notReaper());

  const started = {
    child: 0,
    setsid: !singleChild,
    rewrites,
    detachedAsLeader: false,
    voice,
    rules: personality.rules,
    wishes: options,
  };
  const begun = { early: [], writeLine, identify: voice.orphan !== undefined };
  if (options.pause) {
    if (personality.leavesFolder) chdirToRoot();
    if (personality.closesFiles) closeInherited();
    return { ...begun, state: initialState(started) };
  }

  const { detachedAsLeader, terminal, early } = setsid ? leaveTerminal(options, voice, say) : sameSession;
  const sessionMade = (attachErrno: number) => {
    if (attachErrno !== 0) say(voice.cannotAttach?.(attachErrno, strerror(attachErrno)));
    say(voice.setsidComplete?.());
  };
  if (terminal?.kind === 'none') sessionMade(terminal.errno);
  if (terminal?.kind === 'free') sessionMade(0);

  const group = personality.foreground && { foreground: foreground(personality, voice, say) };
  restoreSoftLimits();
  const file = words[options.command] ?? '';
  const child = spawn({
    file,
    argv: options.operands ? argumentsAt(options.operands) : argumentsFrom(options.command),
    argc: options.operands?.length ?? words.length - options.command,
    envp: environmentAddress,
    path: environmentVariable('PATH'),
    terminal,
    group,
    blocked: [...signalsOf(options.keepIgnored ? handover.blocked : 0n), ...(personality.blocked ?? [])],
    keepIgnored: options.keepIgnored,
  });
  if (child.kind === 'cannotFork') {
    writeLine(personality.cannotFork(self, strerror(child.errno)));
    exit(1);
  }
  if (child.kind === 'cannotExecute') {
    const { text, status } = personality.cannotExecute(options, self, file, child.errno, strerror(child.errno));
    writeLine(text);
    exit(status);
  }
  if (terminal?.kind === 'unknown') sessionMade(child.terminalRefused ? EPERM : 0);
  say(voice.spawned?.(child.pid, file));
  const error = personality.leavesFolder ? chdirToRoot() : 0;
  if (error < 0) say(voice.cannotChdir?.(-error, strerror(-error)));
  if (personality.closesFiles) closeInherited();

  return { ...begun, early, state: initialState({ ...started, child: child.pid, detachedAsLeader }) };
}

type Say = (line: string | undefined) => void;

const sameSession = { detachedAsLeader: false, terminal: undefined, early: [] };

/** Frees the controlling terminal for the child's session. */
function leaveTerminal({ noTtyHandoff }: Options, voice: Voice, say: Say) {
  if (noTtyHandoff) return { ...sameSession, terminal: { kind: 'none', errno: 0 } satisfies Terminal };
  const fd = reopenTerminal();
  const leader = leadsSession();
  // What can't be opened again, the child can't get (posix_spawn has no TIOCSCTTY). We keep it then:
  // what is typed or happens there, Ctrl-C and a hang-up among it, reaches us and is forwarded.
  const error = leader && fd === -EACCES ? fd : detachFromTerminal();
  const early: Received[] = [];
  if (error < 0) {
    say(voice.cannotDetach?.(-error, strerror(-error)));
  } else if (leader) {
    say(voice.detached?.());
    // The kernel has sent us HUP and CONT. Taken off the queue now, they can't swallow somebody's
    // real ones, for of a standard signal no second is queued.
    const handoff = signalSet([SIGHUP, SIGCONT]);
    for (let signal = pendingSignal(handoff); signal; signal = pendingSignal(handoff)) early.push(signal);
  } else {
    say(voice.detachedNotLeader?.());
  }
  return { detachedAsLeader: error === 0 && leader, terminal: childTerminal(fd, error === 0, leader), early };
}

/** The fd of the terminal whose foreground the command becomes, if there is one. */
function foreground({ foreground, noTerminal, foregroundFailed }: Personality, voice: Voice, say: Say) {
  const fd = foregroundTerminal(foreground ?? 'standard input');
  if (fd >= 0) return fd;
  if (!noTerminal?.includes(-fd)) {
    say(foregroundFailed?.(self, strerror(-fd)));
    exit(1);
  }
  say(voice.noTerminal?.(-fd, strerror(-fd)));
  return undefined;
}

/** Milliseconds of a clock that nobody sets. (The first use of `performance` would load 600 KB for it.) */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** So many milliseconds after the start memory is given back: a shorter life does not pay for that. */
const SETTLING = 1000;

/** The life of an init. A PID 1 that dies takes the container along: from here on nothing may throw. */
function loop({ state, early, writeLine, identify }: Begun): never {
  const timers = new Timers<TimerId>(now);
  const emit = (event: Event): void => {
    const [next, actions] = decide(state, event);
    state = next;
    for (const action of actions) perform(action, means);
  };
  const startTimer = (id: TimerId, ms: number) => timers.start(id, ms);
  const means = { emit, write: writeLine, startTimer, identify };
  const take = ({ n, sender }: Received) => emit({ type: 'signal', n, handoff: sender === ownPid });
  early.forEach(take);
  const settled = now() + SETTLING;
  for (let settling = true; ; ) {
    for (const id of timers.takeDue()) emit({ type: 'timeout', id });
    const left = timers.untilNext();
    const rest = settling ? settled - now() : 0;
    if (settling && rest <= 0) {
      settling = false;
      decide(state, { type: 'signal', n: SIGCONT }); // on paper, so that the first signal finds it compiled
      giveBackMemory();
    }
    const signal = nextSignal(settling ? Math.min(left ?? rest, rest) : left);
    if (signal) take(signal);
  }
}

function main(): never {
  try {
    return loop(start());
  } catch (error) {
    write(2, messages.internalError(error instanceof Error ? error.message : String(error)));
    exit(1);
  }
}

main();
