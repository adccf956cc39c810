/** What /proc says of processes, if it is mounted: nothing here throws. */
import { readdirSync, readFileSync } from 'node:fs';

/** Fields of /proc/PID/stat (proc_pid_stat(5)). */
export interface Stat {
  readonly name: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** Who a process is, or was if it is not reaped yet; undefined when it is gone. */
export function stat(pid: number): Stat | undefined {
  try {
    const [, name = '', rest = ''] = /^\d+ \((.*)\) \S (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
    const [parent = 0, group = 0, session = 0] = rest.split(' ', 3).map(Number);
    return { name, parent, group, session };
  } catch {
    return undefined;
  }
}

/** PIDs of all descendants of a process. Not by /proc/PID/task/TID/children, which not every kernel has. */
export function descendantsOf(ancestor: number): number[] {
  const children = new Map<number, number[]>();
  for (const pid of numbersIn('/proc')) {
    const parent = stat(pid)?.parent ?? 0;
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [...(children.get(ancestor) ?? [])];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** The numbers among the names in a folder of /proc; none if it can't be read. */
export function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}
