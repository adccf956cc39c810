/** Random values by fast-check: many at once, as a run of a program is slow, and what fails is made small. */
import fc, { type Arbitrary } from 'fast-check';
import { concurrently } from './concurrently.ts';

/** A value, and what it was about. */
export interface Sample<T> {
  about: string;
  value: T;
}

const runsOf = (kinds: number, count: number) => Math.ceil(count / kinds);

/** At least `count` values, as many of each kind; the seed brings them back. */
export function samples<T>(kinds: Readonly<Record<string, Arbitrary<T>>>, count: number, seed: number): Sample<T>[] {
  const entries = Object.entries(kinds);
  const numRuns = runsOf(entries.length, count);
  return entries.flatMap(([about, arbitrary]) =>
    fc.sample(arbitrary, { seed, numRuns }).map((value) => ({ about, value })),
  );
}

/**
 * The first of the values for which something does not hold, as small as fast-check can make it.
 *
 * @param differs what is wrong with a value, if anything is
 */
export async function firstDifference<T, D>(
  kinds: Readonly<Record<string, Arbitrary<T>>>,
  count: number,
  seed: number,
  differs: (value: T) => Promise<D | undefined>,
): Promise<{ about: string; value: T; difference: D } | undefined> {
  const found = await concurrently(samples(kinds, count, seed), async (sample) => {
    const difference = await differs(sample.value);
    return difference === undefined ? [] : [{ ...sample, difference }];
  });
  const [first] = found.flat();
  const arbitrary = first && kinds[first.about];
  if (!arbitrary) return undefined;
  const property = fc.asyncProperty(arbitrary, async (value) => (await differs(value)) === undefined);
  const { counterexample } = await fc.check(property, { seed, numRuns: runsOf(Object.keys(kinds).length, count) });
  const [value] = counterexample ?? [first.value];
  const difference = await differs(value);
  return difference === undefined ? first : { about: first.about, value, difference }; // or it fails now and then
}
