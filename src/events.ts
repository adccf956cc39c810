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
  /** The dead are taken; of `until`, whose death a signal tells, none. */
  #reaping = false;
  #until: number | undefined;

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

  /**
   * Who died before the program began left no signal that says so: these dead are what happens next.
   *
   * @param command who is left to its own signal
   */
  reapInherited(command: number): void {
    this.#reaping = true;
    this.#until = command;
  }

  /** Waits for what happens next. */
  next(): Event {
    for (;;) {
      if (this.#reaping) {
        const event = this.#nextDeath();
        if (event) return event;
      }
      const early = this.#early.shift();
      if (early) return early;
      const ms = this.#timers.untilNext();
      const id = ms === 0 ? this.#timers.take() : undefined;
      if (id !== undefined) return { type: 'timeout', id };
      const signal = this.#source.nextSignal(ms);
      if (signal) return signal;
    }
  }

  #nextDeath(): Event | undefined {
    const dead = this.#source.nextDead();
    const inherited = this.#until !== undefined;
    if (typeof dead !== 'string' && dead.pid !== this.#until) {
      const { pid, status } = dead;
      return { type: 'died', pid, status, who: this.#identify ? this.#source.identity(pid) : undefined };
    }
    this.#reaping = false;
    this.#until = undefined;
    return inherited ? undefined : { type: 'drained', childless: dead === 'childless' };
  }
}
