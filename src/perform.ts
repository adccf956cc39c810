/** The sole interpreter of actions. */
import type { Action, Event, TimerId } from './decide.ts';
import { bury, dieOf, exit, identity, kill, killAll, nextDead, stopSelf } from './libc/process.ts';

/** What an action may need beside system calls. */
export interface Means {
  /** Takes the events that come of an action. */
  emit(event: Event): void;
  write(line: string): void;
  startTimer(id: TimerId, ms: number): void;
  /** Look at the dead before they are reaped. */
  readonly identify: boolean;
  /** Who has died and is not buried yet: the command, when its death is the end. */
  unburied?: number;
}

/**
 * Does what was decided. A failing kill is expected and passed over, as in dumb-init 1.2.5: ESRCH,
 * the child is already gone; EPERM, it has become somebody else's.
 */
export function perform(action: Action, means: Means): void {
  switch (action.type) {
    case 'kill':
      kill(action.target, action.n);
      break;
    case 'killAll':
      killAll(action.target, action.n);
      break;
    case 'stopSelf':
      stopSelf();
      break;
    case 'die':
      dieOf(action.n);
      break;
    case 'reap': {
      let dead = nextDead();
      for (; typeof dead !== 'string'; dead = nextDead()) {
        means.unburied = dead.pid;
        means.emit({ type: 'reaped', ...dead, who: means.identify ? identity(dead.pid) : undefined });
        bury(dead.pid);
        means.unburied = 0;
      }
      means.emit({ type: 'drained', childless: dead === 'childless' });
      break;
    }
    case 'startTimer':
      means.startTimer(action.id, action.ms);
      break;
    case 'log':
      means.write(action.text);
      break;
    case 'exit':
      if (means.unburied) bury(means.unburied);
      exit(action.code);
  }
}
