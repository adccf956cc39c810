/** What of two programs' debug lines can be compared: PIDs differ, and in 1.2.5 so does which process is quicker. */

export interface DebugLines {
  /** Lines of dumb-init, in their order. */
  parent: string[];
  /** What dumb-init 1.2.5 writes between fork and exec, or in place of the exec, and ours for it. */
  child: string[];
}

/** The last of them names a command that cannot be executed, and why. */
export const OF_CHILD = /^\[dumb-init\] (Unable to (attach|setsid)|setsid complete|.*: [A-Z][A-Za-z/ ]*$)/;

/** Debug lines by process, each PID replaced by `#` and the place at which it was met first. */
export function debugLines(stderr: string): DebugLines {
  const pids = new Map<string, string>();
  const lines = stderr.split('\n').filter(Boolean);
  const parent = lines
    .filter((line) => !OF_CHILD.test(line))
    .map((line) =>
      line.replace(/PID (\d+)/, (_, pid: string) => {
        if (!pids.has(pid)) pids.set(pid, `#${pids.size}`);
        return `PID ${pids.get(pid)}`;
      }),
    );
  return { parent, child: lines.filter((line) => OF_CHILD.test(line)) };
}
