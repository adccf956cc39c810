/** Wiring only: arguments, options, the command's process, signal loop, exit status. */
import { decide, type Event, initialState, type State, type TimerId } from './decide.ts';
import { explain } from './explain.ts';
import { now } from './libc/clock.ts';
import { EndOfRehearsal, strerror, strsignal } from './libc/ffi.ts';
import { giveBackMemory } from './libc/memory.ts';
import {
  becomeSubreaper,
  chdirToRoot,
  closeInherited,
  detachFromTerminal,
  exit,
  hasTerminal,
  leadsSession,
  reapsOrphans,
  setParentDeathSignal,
  write,
} from './libc/process.ts';
import { argumentsAt, argumentsFrom, argumentWords, containerEnvironment } from './libc/process-image.ts';
import { record } from './libc/record.ts';
import { nextSignal, pendingSignal, type Received, signalSet, signalsOf } from './libc/signal-source.ts';
import {
  comeToForeground,
  environmentWith,
  exec,
  fork,
  makeGroup,
  makeSession,
  openTerminal,
  ownPid,
  setSignals,
  takeTerminal,
} from './libc/spawn.ts';
import { formatter } from './log.ts';
import * as messages from './messages.ts';
import type { Environment, Options } from './options.ts';
import { perform } from './perform.ts';
import { type Personality, personalityOf, type Self } from './personality.ts';
import { SIGCONT, SIGHUP } from './signals.ts';
import { Timers } from './timers.ts';
import type { Voice } from './voice.ts';

/** What is left to do when the command runs. */
interface Begun {
  state: State;
  early: readonly Received[];
  writeLine: (line: string) => void;
  identify: boolean;
}

/** What texts need of a process: this one, or in the child that one. */
const selfOf = (pid: () => number): Self => ({
  get pid() {
    return pid();
  },
  describe: strsignal,
});

/** From the command line to a running command. What can fail, fails here, and ends the process. */
function start(): Begun {
  const { pid } = record();
  const self = selfOf(() => pid);
  const words = argumentWords();
  const environment = containerEnvironment();
  const personality = personalityOf(words[0] ?? '');
  const parsed = personality.parse(words, environment, self);
  if (parsed.kind !== 'run') {
    write('stdout' in parsed ? 1 : 2, parsed.text);
    exit(parsed.status);
  }
  const { options } = parsed;
  const { fromEnvironment, singleChild, rewrites } = options;
  const voice = personality.voice(options, self);
  const format = formatter(options.logFormat, pid, () => new Date());
  const writeLine = (line: string) => write(personality.stream(line), format(line));
  const say = (line: string | undefined) => {
    if (line !== undefined) writeLine(line);
  };
  if (options.explain) {
    const surroundings = { pid, leader: leadsSession(), terminal: hasTerminal() };
    write(2, explain(options, words.slice(options.command), surroundings));
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

  const session = personality.foreground === undefined && !singleChild;
  const { detachedAsLeader, early } =
    session && !options.noTtyHandoff ? leaveTerminal(voice, say) : { detachedAsLeader: false, early: [] };

  const child = fork();
  if (child === 0) becomeCommand({ personality, options, session, words, environment, writeLine });
  if (child < 0) {
    writeLine(personality.cannotFork(self, strerror(-child)));
    exit(1);
  }
  say(voice.spawned?.(child, words[options.command] ?? ''));
  const error = personality.leavesFolder ? chdirToRoot() : 0;
  if (error < 0) say(voice.cannotChdir?.(-error, strerror(-error)));
  if (personality.closesFiles) closeInherited();

  return { ...begun, early, state: initialState({ ...started, child, detachedAsLeader }) };
}

type Say = (line: string | undefined) => void;

/** Frees the controlling terminal for the child's session. */
function leaveTerminal(voice: Voice, say: Say) {
  const leader = leadsSession();
  const error = detachFromTerminal();
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
  return { detachedAsLeader: error === 0 && leader, early };
}

interface Child {
  personality: Personality;
  options: Options;
  /** With a session of its own. */
  session: boolean;
  words: readonly string[];
  environment: Environment;
  writeLine: (line: string) => void;
}

/** In the child: session, terminal, signals, exec. What fails is said here, and the status tells the parent. */
function becomeCommand({ personality, options, session, words, environment, writeLine }: Child): never {
  const self = selfOf(ownPid);
  const voice = personality.voice(options, self);
  const say: Say = (line) => {
    if (line !== undefined) writeLine(line);
  };
  const fail = (text: string, status: number): never => {
    writeLine(text);
    exit(status);
  };

  if (session) {
    const error = makeSession();
    if (error < 0) fail(messages.cannotSetsid(-error, strerror(-error)), 1);
    const refused = options.noTtyHandoff ? 0 : takeTerminal();
    if (refused < 0) say(voice.cannotAttach?.(-refused, strerror(-refused)));
    say(voice.setsidComplete?.());
  } else if (personality.foreground) {
    makeGroup();
    const opened = personality.foreground === '/dev/tty' ? openTerminal() : 0;
    if (opened < 0) say(voice.cannotOpenTerminal?.(strerror(-opened)));
    const error = -comeToForeground(Math.max(opened, 0));
    if (personality.noTerminal?.includes(error)) say(voice.noTerminal?.(error, strerror(error)));
    else if (error !== 0) fail(personality.foregroundFailed?.(self, strerror(error)) ?? '', 1);
  }

  const { keepIgnored, command, operands } = options;
  const inherited = keepIgnored ? signalsOf(record().blocked) : [];
  setSignals([...inherited, ...(personality.blocked ?? [])], keepIgnored);
  const passesListenPid = personality.passesListenPid && Number.parseInt(environment('LISTEN_PID') ?? '', 10) === record().pid;
  const envp = passesListenPid ? environmentWith('LISTEN_PID', String(ownPid())) : record().envp;
  const errno = exec(operands ? argumentsAt(operands) : argumentsFrom(command), envp);
  const { text, status } = personality.cannotExecute(options, self, words[command] ?? '', errno, strerror(errno));
  return fail(text, status);
}

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
  const { pid } = record();
  const take = ({ n, sender }: Received) => emit({ type: 'signal', n, handoff: sender === pid });
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

/** The program, in a process of which there is a record. */
export function run(): never {
  try {
    return loop(start());
  } catch (error) {
    if (error instanceof EndOfRehearsal) throw error;
    write(2, messages.internalError(error instanceof Error ? error.message : String(error)));
    exit(1);
  }
}
