/** dumb-init with options, before commands that tell of what they get. */
import { fixture, OURS, start, waitUntil } from './processes.ts';

/** Options, and a shell script as the command. */
export const sh = (...words: string[]) => [...words.slice(0, -1), 'sh', '-c', words.at(-1) ?? ''];

/** dumb-init with the command `signals`, which tells of each signal and ends after so many. */
export async function startSignals(count: number, ...options: string[]) {
  const running = start(OURS, [...options, fixture('signals'), String(count)]);
  await running.prints('ready');
  return running;
}

/** Takes signals, in the order that they are sent in, and tells what the command got. */
export async function received(options: string[], sent: number[], count = sent.length) {
  const running = await startSignals(count, ...options);
  for (const [i, n] of sent.entries()) {
    running.signal(n);
    if (i < count - 1) await waitUntil(() => running.stdout().split('\n').length > i + 2, `signal ${i}`);
  }
  const { status, stdout, stderr } = await running.ended;
  return { status, stderr, got: stdout.split('\n').slice(1, -1).map(Number) };
}
