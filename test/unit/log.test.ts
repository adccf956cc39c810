import fc from 'fast-check';
import t from 'tap';
import { formatter, isoTime } from '../../src/log.ts';

const DAY = 86_400_000;

t.test('the time is written as Date writes it, leap years and the ends of months included', async (t) => {
  const moments = [0, 1, 999, DAY - 1, DAY, -1, Date.UTC(2000, 1, 29), Date.UTC(2100, 1, 28, 23, 59, 59, 999)];
  for (let day = 0; day < 800; day++)
    moments.push(Date.UTC(1999, 11, 31) + day * DAY, Date.UTC(2096, 0, 1) + day * DAY);
  const asDate = (ms: number) => isoTime(ms) === new Date(ms).toISOString();
  t.strictSame(
    moments.filter((ms) => !asDate(ms)),
    [],
  );
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 31 * 1000 }), asDate), { numRuns: 2000 });
});

t.test('a line is written as it is, behind the time, or as JSON', async (t) => {
  const line = '[dumb-init] Received signal 15.\n';
  const now = () => 86_400_007;
  t.equal(formatter(undefined, 3, now)(line), line);
  t.equal(formatter('text', 3, now)(line), `1970-01-02T00:00:00.007Z ${line}`);
  t.strictSame(JSON.parse(formatter('json', 3, now)(line)), {
    ...{ time: '1970-01-02T00:00:00.007Z', program: 'dumb-init', pid: 3, message: 'Received signal 15.' },
  });
});
