/** How lines are written, if not as dumb-init 1.2.5 writes them. Pure. */
import { type Line, textOf } from './voice.ts';

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

/** Line ends, escapes and whatever else a terminal may obey; JSON.stringify lets most of them pass. */
const escaped = (text: string) =>
  Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');

/** JSON is UTF-8: bytes that are not become U+FFFD. @returns bytes as latin1, on one line */
function json(entry: object): string {
  const text = Buffer.from(JSON.stringify(entry), 'latin1').toString('utf8');
  return `${Buffer.from(text.replace(/[^\P{C}\u00ad]|[\u2028\u2029]/gu, escaped)).toString('latin1')}\n`;
}

/** @param format undefined: as dumb-init 1.2.5 does it */
export type Format = 'text' | 'json' | undefined;

/**
 * @param now milliseconds since 1970
 * @returns what makes of a line the bytes that are written, as latin1
 */
export function formatter(format: Format, pid: number, now: () => number): (line: Line) => string {
  switch (format) {
    case undefined:
      return textOf;
    case 'text':
      return (line) => textOf(line).replace(/^(?=.)/gm, `${isoTime(now())} `);
    case 'json':
      return (line) => {
        const message = textOf(line).replace(/^\[dumb-init\] |\n$/g, '');
        const fields = typeof line === 'string' ? {} : line.fields;
        return json({ time: isoTime(now()), program: 'dumb-init', pid, ...fields, message });
      };
  }
}
