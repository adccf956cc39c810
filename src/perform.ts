/** The sole interpreter of the steps of the beginning, and of the actions of the life. */
import type { Answer, Command, Detached, Spawned, Step } from './begin.ts';
import type { Events } from './events.ts';
import { becomeSubreaper, bury, kill, reapsOrphans } from './libc/children.ts';
import type { Crowd } from './libc/crowd.ts';
import { strerror } from './libc/ffi.ts';
import { giveBackMemory } from './libc/memory.ts';
import { writeWithin } from './libc/output.ts';
import { argumentsAt, argumentsFrom, type ProcessImage } from './libc/process-image.ts';
import { record } from './libc/record.ts';
import { chdirToRoot, closeInherited, dieOf, exit, leadsSession, setParentDeathSignal, stopSelf } from './libc/self.ts';
import { pendingSignal, type Received, signalSet, signalsOf } from './libc/signal-source.ts';
import { spawn } from './libc/spawn.ts';
import { detachFromTerminal } from './libc/terminal.ts';
import * as messages from './messages.ts';
import { SIGCONT, SIGHUP } from './signals.ts';
import type { Action, Event } from './state.ts';
import type { Failure, Line } from './voice.ts';

/** What `-errno` means; undefined for a call that has not failed. */
const failure = (result: number): Failure | undefined =>
  result < 0 ? { errno: -result, text: strerror(-result) } : undefined;

/** So many milliseconds a line waits for a reader that is slow. */
const PATIENCE = 100;

/**
 * What writes lines. No line is worth a hang, for then no signal would be taken any more: one that nobody makes room for
 * is dropped, and counted, and from then on none waits. The next that can be written comes after one that says so.
 *
 * @param format makes of a line what is written
 */
export function lineWriter(format: (line: Line) => string): (line: Line) => void {
  let dropped = 0;
  return (line) => {
    const fd = typeof line !== 'string' && line.stdout ? 1 : 2;
    if (dropped > 0 && writeWithin(2, format(messages.dropped(dropped)), 0)) dropped = 0;
    if (dropped > 0 || !writeWithin(fd, format(line), PATIENCE)) dropped++;
  };
}

/** A signal that was taken off the queue, as an event. */
export const signalEvent = ({ n, sender }: Received): Event => ({
  type: 'signal',
  n,
  handoff: sender === record().pid,
});

/** Takes a step of the beginning. @returns its answer */
export function takeStep(step: Step, image: ProcessImage, say: (line: Line) => void): Answer {
  switch (step.type) {
    case 'say':
      return say(step.line) as undefined;
    case 'setParentDeathSignal':
      return setParentDeathSignal(step.n) as undefined;
    case 'becomeSubreaper':
      return becomeSubreaper() as undefined;
    case 'askWhetherReaper':
      return reapsOrphans();
    case 'detach':
      return detach();
    case 'spawn':
      return spawnCommand(step.command, image);
    case 'leaveFolder':
      return failure(chdirToRoot());
    case 'closeFiles':
      return closeInherited() as undefined;
  }
}

function detach(): Detached {
  const failed = failure(detachFromTerminal());
  if (failed || !leadsSession()) return { failure: failed, leader: false, early: [] };
  // The kernel has sent us HUP and CONT. Taken off the queue now, they can't swallow somebody's
  // real ones, for of a standard signal no second is queued.
  const early: Event[] = [];
  const handoff = signalSet([SIGHUP, SIGCONT]);
  for (let signal = pendingSignal(handoff); signal; signal = pendingSignal(handoff)) early.push(signalEvent(signal));
  return { leader: true, early };
}

function spawnCommand(command: Command, { words, environment }: ProcessImage): Spawned | Failure {
  const { first, operands, keepIgnored } = command;
  const spawned = spawn({
    ...command,
    argv: operands ? argumentsAt(operands) : argumentsFrom(first),
    argc: operands?.length ?? words.length - first,
    path: environment('PATH'),
    blocked: [...(keepIgnored ? signalsOf(record().blocked) : []), ...command.blocked],
  });
  if (typeof spawned === 'number') return { errno: -spawned, text: strerror(-spawned) };
  const { pid, setsid, takeTerminal, openTerminal, comeToForeground, exec } = spawned;
  return {
    pid,
    setsid: failure(-setsid),
    takeTerminal: failure(-takeTerminal),
    openTerminal: failure(-openTerminal),
    comeToForeground: failure(-comeToForeground),
    exec: failure(-exec),
  };
}

/**
 * Does what was decided. A failing kill is expected and passed over, as in dumb-init 1.2.5: ESRCH,
 * the child is already gone; EPERM, it has become somebody else's.
 */
export function perform(action: Action, events: Events, crowd: Crowd, say: (line: Line) => void): void {
  switch (action.type) {
    case 'kill':
      if (action.toStop) crowd.tell(action.target, action.n);
      else kill(action.target, action.n);
      break;
    case 'killAll':
      if (action.toStop) crowd.tellAll(action.target, action.n);
      else crowd.signal(action.target, action.n);
      break;
    case 'killRest':
      crowd.killRest(action.target);
      break;
    case 'stopSelf':
      stopSelf();
      break;
    case 'die':
      dieOf(action.n);
      break;
    case 'reap':
      events.reap();
      break;
    case 'bury':
      bury(action.pid);
      crowd.buried();
      break;
    case 'startTimer':
      events.startTimer(action.id, action.ms);
      break;
    case 'giveBackMemory':
      giveBackMemory();
      break;
    case 'log':
      say(action.line);
      break;
    case 'exit':
      exit(action.code);
  }
}
