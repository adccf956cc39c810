/** How lines are written, if not as dumb-init 1.2.5 writes them. Pure. */

/** @returns what makes of a line (bytes as latin1) one with the time */
export function formatter(format: 'text' | 'json' | undefined, pid: number, now: () => Date): (line: string) => string {
  switch (format) {
    case undefined:
      return (line) => line;
    case 'text':
      return (line) => `${now().toISOString()} ${line}`;
    case 'json':
      return (line) => {
        // JSON is UTF-8: bytes that are not become U+FFFD.
        const message = Buffer.from(line.replace(/^\[dumb-init\] |\n$/g, ''), 'latin1').toString('utf8');
        const entry = JSON.stringify({ time: now().toISOString(), program: 'dumb-init', pid, message });
        return `${Buffer.from(entry).toString('latin1')}\n`;
      };
  }
}
