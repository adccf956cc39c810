/**
 * The life of an init. A PID 1 that dies takes the container along: so whatever throws here is reported, and the work
 * goes on.
 */
import { decide } from './decide.ts';
import type { Action, Event, State } from './state.ts';

/** What a life needs of the world. */
export interface World {
  /** Waits for what happens next. */
  next(): Event;
  perform(action: Action): void;
  /** Is told of an error. It must not throw. */
  report(error: unknown): void;
}

/** Lives for ever, or until an action ends the process. */
export function live(state: State, world: World): never {
  for (;;) {
    let event: Event;
    try {
      event = world.next();
    } catch (error) {
      world.report(error);
      continue;
    }
    const [next, actions] = decideSafely(state, event, world);
    state = next;
    for (const action of actions) {
      try {
        world.perform(action);
      } catch (error) {
        world.report(error);
      }
    }
  }
}

/** What is decided, without a word if it is the words that fail. At the least, a dead process is buried. */
function decideSafely(state: State, event: Event, world: World): [State, readonly Action[]] {
  try {
    return decide(state, event);
  } catch (error) {
    world.report(error);
  }
  try {
    const { voice } = state;
    const [next, actions] = decide({ ...state, voice: {} }, event);
    return [{ ...next, voice }, actions];
  } catch (error) {
    world.report(error);
    return [state, event.type === 'died' ? [{ type: 'bury', pid: event.pid }] : []];
  }
}
