import t from 'tap';
import { Timers } from '../../src/timers.ts';

t.test('timers are due by their time, the earliest first, and once', async (t) => {
  let now = 1000;
  const timers = new Timers<string>(() => now);
  t.equal(timers.untilNext(), undefined, 'nothing to wait for');
  t.equal(timers.take(), undefined);
  timers.start('late', 300);
  timers.start('early', 100);
  t.equal(timers.untilNext(), 100);
  now = 1100;
  t.equal(timers.untilNext(), 0, 'it is due');
  t.equal(timers.take(), 'early');
  t.equal(timers.untilNext(), 200);
  now = 2000;
  timers.start('now', 0);
  t.equal(timers.untilNext(), 0, 'it is overdue');
  t.equal(timers.take(), 'late');
  t.equal(timers.untilNext(), 0);
  t.equal(timers.take(), 'now');
  t.equal(timers.untilNext(), undefined);
});
