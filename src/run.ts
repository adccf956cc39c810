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
import { argumentsAt, argumentsFrom, processImage } from './libc/process-image.ts';
import { record } from './libc/record.ts';
import { nextSignal, pendingSignal, type Received, signalSet, signalsOf } from './libc/signal-source.ts';
import { type Spawned, spawn } from './libc/spawn.ts';
import { formatter } from './log.ts';
import * as messages from './messages.ts';
import type { Options } from './options.ts';
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

/** What texts need of a process: this one, or the command's. */
const selfOf = (pid: number): Self => ({ pid, describe: strsignal });

/** From the command line to a running command. What can fail, fails here, and ends the process. */
function start(): Begun {
  const { pid } = record();
  const self = selfOf(pid);
  const { words, environment } = processImage();
  const personality = personalityOf(words[0] ?? '');
  const parsed = personality.parse(words, environment, self);
  if (parsed.kind !== 'run') {
    write('stdout' in parsed ? 1 : 2, parsed.text);
    exit(parsed.status);
  }
  const { options } = parsed;
  const { fromEnvironment, singleChild, rewrites } = options;
  const voice = personality.voice(options, self);
  const format = formatter(options.logFormat, pid, Date.now);
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
  const begun = { early: [], writeLine, identify: personality.namesOrphans && voice.orphan !== undefined };
  if (options.pause) {
    if (personality.leavesFolder) chdirToRoot();
    if (personality.closesFiles) closeInherited();
    return { ...begun, state: initialState(started) };
  }

  const session = personality.foreground === undefined && !singleChild;
  const { detachedAsLeader, early } =
    session && !options.noTtyHandoff ? leaveTerminal(voice, say) : { detachedAsLeader: false, early: [] };

  const file = words[options.command] ?? '';
  const inherited = options.keepIgnored ? signalsOf(record().blocked) : [];
  const spawned = spawn({
    file,
    argv: options.operands ? argumentsAt(options.operands) : argumentsFrom(options.command),
    argc: options.operands?.length ?? words.length - options.command,
    path: environment('PATH'),
    session: !session ? 'none' : options.noTtyHandoff ? 'own' : 'own, with the terminal',
    foreground: personality.foreground,
    noTerminal: personality.noTerminal ?? [],
    blocked: [...inherited, ...(personality.blocked ?? [])],
    keepIgnored: options.keepIgnored,
    passesListenPid: personality.passesListenPid === true,
    statuses: personality.execStatuses(options),
  });
  if (typeof spawned === 'number') {
    writeLine(personality.cannotFork(self, strerror(-spawned)));
    exit(1);
  }
  for (const line of childLines(spawned, { personality, options, session, file })) writeLine(line);
  const child = spawned.pid;
  say(voice.spawned?.(child, file));
  const error = personality.leavesFolder ? chdirToRoot() : 0;
  if (error < 0) say(voice.cannotChdir?.(-error, strerror(-error)));
  if (personality.closesFiles) closeInherited();

  return { ...begun, early, state: initialState({ ...started, child, detachedAsLeader }) };
}

/** What the child would have said of what it did until its exec, or its end. */
function childLines(
  spawned: Spawned,
  {
    personality,
    options,
    session,
    file,
  }: { personality: Personality; options: Options; session: boolean; file: string },
): string[] {
  const self = selfOf(spawned.pid);
  const voice = personality.voice(options, self);
  const lines: (string | undefined)[] = [];
  const { setsid, takeTerminal, openTerminal, comeToForeground, exec } = spawned;
  if (setsid !== 0) return [messages.cannotSetsid(setsid, strerror(setsid))];
  if (takeTerminal !== 0) lines.push(voice.cannotAttach?.(takeTerminal, strerror(takeTerminal)));
  if (session) lines.push(voice.setsidComplete?.());
  if (openTerminal !== 0) lines.push(voice.cannotOpenTerminal?.(strerror(openTerminal)));
  if (comeToForeground !== 0) {
    const reason = strerror(comeToForeground);
    const harmless = personality.noTerminal?.includes(comeToForeground);
    lines.push(harmless ? voice.noTerminal?.(comeToForeground, reason) : personality.foregroundFailed?.(self, reason));
    if (!harmless) return lines.filter((line) => line !== undefined);
  }
  if (exec !== 0) lines.push(personality.cannotExecute(self, file, strerror(exec)));
  return lines.filter((line) => line !== undefined);
}

type Say = (line: string | undefined) => void;

/** Frees the controlling terminal for the child's session. */
function leaveTerminal(voice: Voice, say: Say) {
  const error = detachFromTerminal();
  const leader = error === 0 && leadsSession();
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
  return { detachedAsLeader: leader, early };
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
  const means = { emit, write: writeLine, startTimer, identify, unburied: 0 };
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
