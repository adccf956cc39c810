/** Times to wait for: nothing runs meanwhile, and who waits asks for the nearest. */
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

  /** Milliseconds until the next is due: 0 if its time is up; undefined when none runs. */
  untilNext(): number | undefined {
    const first = this.#first();
    return first && Math.max(0, first[1] - this.#now());
  }

  /** Takes the next. */
  take(): Id | undefined {
    const first = this.#first();
    if (first) this.#deadlines.delete(first[0]);
    return first?.[0];
  }

  #first(): [Id, number] | undefined {
    if (this.#deadlines.size < 2) return this.#deadlines.entries().next().value; // as nearly always
    return [...this.#deadlines].toSorted(([, a], [, b]) => a - b)[0];
  }
}
