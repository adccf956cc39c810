/** What the arguments of options mean. Pure; a value that makes no sense is undefined. */
import { MAX_STANDARD_SIGNAL, parseSignal, SIGTERM } from './signals.ts';

const MILLISECONDS = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
]);

/** Longest time that can be asked for: 30 days. */
const LONGEST = 30 * 24 * 60 * 60_000;

/** Reads `500ms`, `10s` or `2m` as milliseconds. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d+)(ms|s|m)$/.exec(text) ?? [];
  const duration = Number(count) * (MILLISECONDS.get(unit) ?? Number.NaN);
  return duration <= LONGEST ? duration : undefined;
}

/** Reads a list with commas, each part of which is a pair. */
function parsePairs(
  text: string,
  separator: string,
  parseKey: (text: string) => number | undefined,
  parseValue: (text: string) => number | undefined,
): [number, number][] | undefined {
  const pairs: [number, number][] = [];
  for (const part of text.split(',')) {
    const words = part.split(separator);
    const [key, value] = [parseKey(words[0] ?? ''), parseValue(words[1] ?? '')];
    if (words.length !== 2 || key === undefined || value === undefined) return undefined;
    pairs.push([key, value]);
  }
  return pairs;
}

/** Reads an exit status, 0 to 255. */
function parseStatus(text: string): number | undefined {
  return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
}

/** Reads `143:0,130:0`. */
export const parseStatusPairs = (text: string) => parsePairs(text, ':', parseStatus, parseStatus);

/** Reads `TERM=5s,INT=500ms`. */
export const parseDelays = (text: string) => parsePairs(text, '=', parseSignal, parseDuration);

/**
 * Reads `10s`, `QUIT=10s` or `TERM,QUIT=10s`. A TERM always counts: with the time that is named for it, or with the
 * first.
 *
 * @param known what was read before
 */
export function parseKillAfter(text: string, known: ReadonlyMap<number, number>): [number, number][] | undefined {
  const at = text.lastIndexOf('=');
  const ms = parseDuration(text.slice(at + 1));
  const signals = at < 0 ? [SIGTERM] : text.slice(0, at).split(',').map(parseSignal);
  if (ms === undefined || signals.includes(undefined)) return undefined;
  const all = known.has(SIGTERM) ? signals : [SIGTERM, ...signals];
  return all.flatMap((n) => (n === undefined ? [] : [[n, ms]]));
}

/**
 * Reads `TERM:QUIT,HUP:0`. What dumb-init 1.2.5 accepts keeps its meaning, but for a list whose every
 * part is right: 1.2.5 took the first alone.
 */
export function parseRewrites(text: string): [number, number][] | undefined {
  const pairs = parsePairs(text, ':', parseSignal, (target) => (target === '0' ? 0 : parseSignal(target)));
  if (pairs) return pairs;
  const pair = parseRewrite(text);
  return pair && [pair];
}

/**
 * Reads `s:r` as `sscanf(text, "%d:%d")` does: blanks before each number, signs, and anything at
 * all after the second; a number beyond `long` is its limit, and an `int` keeps its low 32 bits.
 *
 * @returns the pair, or undefined unless s is in 1..31 and r in 0..31
 */
export function parseRewrite(text: string): [number, number] | undefined {
  const match = /^[ \t\n\v\f\r]*([+-]?\d+):[ \t\n\v\f\r]*([+-]?\d+)/.exec(text);
  if (!match) return undefined;
  const [from, to] = [scanInt(match[1] ?? ''), scanInt(match[2] ?? '')];
  if (from < 1 || from > MAX_STANDARD_SIGNAL || to < 0 || to > MAX_STANDARD_SIGNAL) return undefined;
  return [from, to];
}

/** An `int` as scanf(3) and atoi(3) make it of digits. */
export function scanInt(digits: string): number {
  const value = BigInt(digits.replace('+', ''));
  const [min, max] = [-(2n ** 63n), 2n ** 63n - 1n];
  return Number(BigInt.asIntN(32, value < min ? min : value > max ? max : value));
}
