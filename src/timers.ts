/** Times to wait for: nothing runs meanwhile, the loop asks for the nearest. */
export class Timers<Id> {
  readonly #deadlines = new Map<Id, number>();
  readonly #now: () => number;

  /** @param now milliseconds of a clock that nobody sets */
  constructor(now: () => number) {
    this.#now = now;
  }

  start(id: Id, ms: number): void {
    this.#deadlines.set(id, this.#now() + ms);
  }

  /** Takes the timers whose time is up, the earliest first. */
  takeDue(): Id[] {
    if (this.#deadlines.size === 0) return []; // as nearly always
    const now = this.#now();
    const due = [...this.#deadlines].filter(([, deadline]) => deadline <= now).sort(([, a], [, b]) => a - b);
    for (const [id] of due) this.#deadlines.delete(id);
    return due.map(([id]) => id);
  }

  /** Milliseconds until the next is due; undefined when none runs. */
  untilNext(): number | undefined {
    if (this.#deadlines.size === 0) return undefined;
    return Math.max(0, Math.min(...this.#deadlines.values()) - this.#now());
  }
}
