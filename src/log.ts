/** How lines are written, if not as dumb-init 1.2.5 writes them. Pure. */

const DAY = 86_400_000;

/**
 * A time as `2001-02-03T04:05:06.007Z`. Not by Date, whose every instance asks ICU for the time zone, of
 * which the executable holds no data.
 *
 * @param ms since 1970, as Date.now() has it
 */
export function isoTime(ms: number): string {
  // Days of the Gregorian calendar, in eras of 400 years and years from March on
  // (https://howardhinnant.github.io/date_algorithms.html, civil_from_days).
  const days = Math.floor(ms / DAY) + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const ofDay = ms - Math.floor(ms / DAY) * DAY;
  const padded = (n: number, width = 2) => String(Math.floor(n)).padStart(width, '0');
  const date = `${padded(year, 4)}-${padded(month)}-${padded(day)}`;
  const time = `${padded(ofDay / 3_600_000)}:${padded((ofDay / 60_000) % 60)}:${padded((ofDay / 1000) % 60)}`;
  return `${date}T${time}.${padded(ofDay % 1000, 3)}Z`;
}

/**
 * @param now milliseconds since 1970
 * @returns what makes of a line (bytes as latin1) one with the time
 */
export function formatter(
  format: 'text' | 'json' | undefined,
  pid: number,
  now: () => number,
): (line: string) => string {
  switch (format) {
    case undefined:
      return (line) => line;
    case 'text':
      return (line) => `${isoTime(now())} ${line}`;
    case 'json':
      return (line) => {
        // JSON is UTF-8: bytes that are not become U+FFFD.
        const message = Buffer.from(line.replace(/^\[dumb-init\] |\n$/g, ''), 'latin1').toString('utf8');
        const entry = JSON.stringify({ time: isoTime(now()), program: 'dumb-init', pid, message });
        return `${Buffer.from(entry).toString('latin1')}\n`;
      };
  }
}
