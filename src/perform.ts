/** The sole interpreter of actions. */
import type { Action, Event } from './decide.ts';
import { exit, kill, reapAny, stopSelf, writeError } from './libc/process.ts';

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
      for (let dead = reapAny(); dead; dead = reapAny()) emit({ type: 'reaped', ...dead });
      break;
    case 'log':
      writeError(action.text);
      break;
    case 'exit':
      exit(action.code);
  }
}
