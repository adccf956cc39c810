import t from 'tap';
import { concurrently } from '../helpers/concurrently.ts';
import { fixture, ORACLE, OURS, run } from '../helpers/processes.ts';
import { figure, times } from '../helpers/torture.ts';

const OUTCOMES = ['arrived', 'lost', 'died', 'hung', 'other'] as const;
type Outcomes = Record<(typeof OUTCOMES)[number], number>;

/** `count` starts, each with one signal at a random moment (test/fixtures/start-window.c). */
async function window(init: string, as: string, from: 'first' | 'exec', count: number): Promise<Outcomes> {
  const shards = [1, 2].map((seed) => [String(Math.ceil(count / 2)), as, from, String(seed), init]);
  const texts = await concurrently(shards, (args) => run(fixture('start-window'), args, { limitMs: 15 * 60_000 }));
  const sum: Outcomes = { arrived: 0, lost: 0, died: 0, hung: 0, other: 0 };
  for (const { stdout } of texts) {
    for (const outcome of OUTCOMES) sum[outcome] += Number(new RegExp(`${outcome} (\\d+)`).exec(stdout)?.[1]);
  }
  return sum;
}

const inWords = ({ arrived, lost, died, hung, other }: Outcomes) =>
  `${arrived} arrived, ${lost} lost, ${died} killed the init${hung + other ? `, ${hung + other} otherwise` : ''}`;

for (const [as, who] of [
  ['pid1', 'PID 1'],
  ['ordinary', 'an ordinary process'],
] as const) {
  t.test(`as ${who}: no signal is lost from the first system call on`, async (t) => {
    const count = times(1000, 30);
    const ours = await window(OURS, as, 'first', count);
    figure('Start window', `${count} signals to ${who}, from its first system call on: ${inWords(ours)}`);
    t.strictSame(ours, { arrived: count, lost: 0, died: 0, hung: 0, other: 0 });

    const theirs = await window(ORACLE, as, 'first', count);
    figure('Start window', `the same to dumb-init 1.2.5: ${inWords(theirs)}`);
    t.equal(theirs.hung + theirs.other, 0, 'the measurement does for 1.2.5 too');

    const before = await window(OURS, as, 'exec', count);
    figure('Start window', `apart from that, between exec and the first system call: ${inWords(before)}`);
    t.equal(before.hung + before.other, 0, 'no signal so early makes it hang');
  });
}
