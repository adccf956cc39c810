/** The sole interpreter of actions. */
import type { Action, Event } from './decide.ts';
import { bury, exit, kill, nextDead, stopSelf, writeError } from './libc/process.ts';

/** Whoever died last: the command, when its death is the end. */
let lastDead = 0;

/**
 * Does what was decided. A failing kill is expected and passed over, as in dumb-init 1.2.5: ESRCH,
 * the child is already gone; EPERM, it has become somebody else's.
 *
 * @param emit takes the events that come of an action
 */
export function perform(action: Action, emit: (event: Event) => void): void {
  switch (action.type) {
    case 'kill':
      kill(action.target, action.n);
      break;
    case 'stopSelf':
      stopSelf();
      break;
    case 'reap':
      for (let dead = nextDead(); dead; dead = nextDead()) {
        lastDead = dead.pid;
        emit({ type: 'reaped', ...dead });
        bury(dead.pid);
      }
      break;
    case 'log':
      writeError(action.text);
      break;
    case 'exit':
      bury(lastDead);
      exit(action.code);
  }
}
