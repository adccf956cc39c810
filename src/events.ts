/** The one way in for what happens: a signal, a dead process, a time that is up. */
import type { Event, TimerId } from './state.ts';
import { Timers } from './timers.ts';
import type { Identity } from './voice.ts';

/** Where events come from: the kernel, or a test in its place. */
export interface Source {
  /** Milliseconds of a clock that nobody sets. */
  now(): number;
  /** Waits for a signal: so many milliseconds at most, or for ever. */
  nextSignal(ms?: number): Event | undefined;
  /** The next dead process, again and again until it is buried; otherwise whether children are left at all. */
  nextDead(): { readonly pid: number; readonly status: number } | 'alive' | 'childless';
  /** Who a dead process was. */
  identity(pid: number): Identity | undefined;
}

export class Events {
  readonly #source: Source;
  readonly #early: Event[];
  readonly #identify: boolean;
  readonly #timers: Timers<TimerId>;
  #reaping = false;

  /**
   * @param early what has happened already
   * @param identify whether a death tells who the dead was
   */
  constructor(source: Source, early: readonly Event[], identify: boolean) {
    this.#source = source;
    this.#early = [...early];
    this.#identify = identify;
    this.#timers = new Timers(() => source.now());
  }

  startTimer(id: TimerId, ms: number): void {
    this.#timers.start(id, ms);
  }

  /** The dead are what happens next, and then that there is none. */
  reap(): void {
    this.#reaping = true;
  }

  /** Waits for what happens next. */
  next(): Event {
    if (this.#reaping) return this.#nextDeath();
    for (;;) {
      const early = this.#early.shift();
      if (early) return early;
      const ms = this.#timers.untilNext();
      const id = ms === 0 ? this.#timers.take() : undefined;
      if (id !== undefined) return { type: 'timeout', id };
      const signal = this.#source.nextSignal(ms);
      if (signal) return signal;
    }
  }

  #nextDeath(): Event {
    const dead = this.#source.nextDead();
    if (typeof dead !== 'string') {
      const { pid, status } = dead;
      return { type: 'died', pid, status, who: this.#identify ? this.#source.identity(pid) : undefined };
    }
    this.#reaping = false;
    return { type: 'drained', childless: dead === 'childless' };
  }
}
