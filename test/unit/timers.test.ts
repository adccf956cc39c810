import t from 'tap';
import { Timers } from '../../src/timers.ts';

t.test('timers are due by their time, the earliest first, and once', async (t) => {
  let now = 1000;
  const timers = new Timers<string>(() => now);
  t.equal(timers.untilNext(), undefined, 'nothing to wait for');
  timers.start('late', 300);
  timers.start('early', 100);
  t.equal(timers.untilNext(), 100);
  t.strictSame(timers.takeDue(), []);
  now = 1100;
  t.strictSame(timers.takeDue(), ['early']);
  t.equal(timers.untilNext(), 200);
  now = 2000;
  t.equal(timers.untilNext(), 0, 'it is due');
  timers.start('now', 0);
  t.strictSame(timers.takeDue(), ['late', 'now']);
  t.equal(timers.untilNext(), undefined);
});
