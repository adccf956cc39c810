import { availableParallelism } from 'node:os';

/** Runs a task for each item, as many at once as there are processors. The results are in the items' order. */
export async function concurrently<T, R>(items: readonly T[], task: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const entries = items.entries();
  const worker = async () => {
    for (const [i, item] of entries) results[i] = await task(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return results;
}
