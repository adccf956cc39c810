/**
 * All that is ours: who was told to stop, and who was killed. It is looked up in /proc, where that is ours; otherwise
 * what is left is the process group of the command, and for PID 1 everybody together.
 */
import { SIGCONT, SIGKILL } from '../signals.ts';
import { kill } from './children.ts';
import { ticksSinceBoot } from './clock.ts';
import { descendants, everybody, procIsOurs, type Stat } from './proc.ts';
import { record } from './record.ts';

/** A PID may be another process's later; one that started at the same time is none. */
const key = ({ pid, started }: Stat) => `${pid} ${started}`;

export class Crowd {
  /** Who was told to stop, when, and the groups and sessions of these. */
  readonly #told = new Map<string, number>();
  readonly #toldFamilies = new Map<number, number>();
  /** How many the last look has killed, and how many processes have gone since. */
  #killed = 0;
  #gone = 0;

  /** A process has been reaped. */
  buried(): void {
    this.#gone++;
  }

  /**
   * Tells a process or, negated, a process group to stop, as kill(2) does; what is stopped of it goes on. Who gets the
   * signal won't be told again.
   */
  tell(target: number, n: number): void {
    kill(target, n);
    const { pid: ownPid } = record();
    if (!procIsOurs(ownPid)) {
      kill(target, SIGCONT);
      return;
    }
    for (const process of everybody(ownPid)) {
      if (target < 0 ? process.group !== -target : process.pid !== target) continue;
      this.#isTold(process);
    }
  }

  /**
   * Tells all that is ours to stop, whatever its session, but who was told, and who was born of these.
   *
   * @param target a process or, negated, a process group, for where /proc is of no use
   */
  tellAll(target: number, n: number): void {
    const { pid: ownPid } = record();
    if (!procIsOurs(ownPid)) {
      const all = ownPid === 1 ? -1 : target;
      if (all !== 0) for (const signal of [n, SIGCONT]) kill(all, signal);
      return;
    }
    // Who is born while the others are told is found by another look.
    for (let untold = this.#untold(ownPid); untold.length > 0; untold = this.#untold(ownPid)) {
      for (const process of untold) {
        kill(process.pid, n);
        this.#isTold(process);
      }
    }
  }

  /** A signal to all that is ours. `target` as for `tellAll`. */
  signal(target: number, n: number): void {
    const { pid: ownPid } = record();
    if (ownPid === 1) {
      kill(-1, n);
      return;
    }
    const done = new Set<string>();
    const left = () => descendants(everybody(ownPid), ownPid).filter((process) => !done.has(key(process)));
    for (let found = left(); found.length > 0; found = left()) {
      for (const process of found) {
        kill(process.pid, n);
        done.add(key(process));
      }
    }
    if (target !== 0) kill(target, n);
    if (n === SIGKILL) [this.#killed, this.#gone] = [done.size, 0];
  }

  /**
   * KILL to who has turned up since all were killed: looked for when half of those are gone, and again when half of the
   * rest are, so that a crowd is no square.
   */
  killRest(target: number): void {
    if (record().pid === 1 || this.#gone * 2 >= this.#killed) this.signal(target, SIGKILL);
  }

  #isTold(process: Stat): void {
    const now = ticksSinceBoot();
    this.#told.set(key(process), now);
    for (const family of [process.group, process.session])
      if (!this.#toldFamilies.has(family)) this.#toldFamilies.set(family, now);
    if (process.state === 'T') kill(process.pid, SIGCONT);
  }

  /** Who is ours, and was neither told nor born of somebody who was. */
  #untold(ownPid: number): Stat[] {
    const all = everybody(ownPid);
    const byPid = new Map(all.map((process) => [process.pid, process]));
    const ofTold = (process: Stat): boolean => {
      if (this.#told.has(key(process))) return true;
      for (let ancestor = byPid.get(process.parent); ancestor; ancestor = byPid.get(ancestor.parent)) {
        const told = this.#told.get(key(ancestor));
        if (told !== undefined && process.started >= told) return true;
      }
      // Its parent may be gone: then the group or the session tells whose it is.
      for (const family of [process.group, process.session]) {
        const told = this.#toldFamilies.get(family);
        if (told !== undefined && process.started >= told) return true;
      }
      return false;
    };
    const ours = ownPid === 1 ? all : descendants(all, ownPid);
    return ours.filter((process) => process.pid !== ownPid && process.state !== 'Z' && !ofTold(process));
  }
}
