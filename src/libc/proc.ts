/** What /proc says of processes, if it is mounted: nothing here throws. */
import { readdirSync, readFileSync } from 'node:fs';

/** Fields of /proc/PID/stat (proc_pid_stat(5)). */
export interface Stat {
  readonly pid: number;
  readonly name: string;
  /** One letter: R, S, T (stopped), Z (zombie)… */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** When it was started, in hundredths of a second since the boot. */
  readonly started: number;
}

const STARTED = 22 - 3; // fields are counted from 1, and the third is the first of these

/** Who a process is, or was if it is not reaped yet; undefined when it is gone. */
export function stat(pid: number): Stat | undefined {
  try {
    const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
    const fields = rest.split(' ', STARTED + 1);
    const [parent = 0, group = 0, session = 0] = fields.slice(1, 4).map(Number);
    return { pid, name, state: fields[0] ?? '', parent, group, session, started: Number(fields[STARTED]) };
  } catch {
    return undefined;
  }
}

/**
 * Whether /proc is that of our own PID namespace: then we have one number there, our own PID. In one of an outer
 * namespace we have several (proc_pid_status(5), NSpid), and each number may be anybody's.
 */
export function procIsOurs(ownPid: number): boolean {
  try {
    const [, numbers = ''] = /^NSpid:\t(.*)$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
    return numbers === String(ownPid);
  } catch {
    return false;
  }
}

/** Every process that can be seen; none if /proc isn't ours. */
export function everybody(ownPid: number): Stat[] {
  return procIsOurs(ownPid) ? numbersIn('/proc').flatMap((pid) => stat(pid) ?? []) : [];
}

/** Of these, who descends from a process. Not by /proc/PID/task/TID/children, which not every kernel has. */
export function descendants(all: readonly Stat[], ancestor: number): Stat[] {
  const children = Map.groupBy(all, ({ parent }) => parent);
  const found = [...(children.get(ancestor) ?? [])];
  for (const { pid } of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** The numbers among the names in a folder of /proc, in order; none if it can't be read. */
export function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}
