import t from 'tap';
import { parseSignal, signalName } from '../../src/signals.ts';
import { parseDelays, parseDuration, parseRewrites, parseStatusPairs } from '../../src/values.ts';

t.test('durations are whole milliseconds, seconds or minutes, of 30 days at most', async (t) => {
  const durations: [text: string, ms: number | undefined][] = [
    ['0s', 0],
    ['500ms', 500],
    ['10s', 10_000],
    ['2m', 120_000],
    ['43200m', 2_592_000_000],
    ['43201m', undefined],
    ['10', undefined],
    ['1.5s', undefined],
    ['-1s', undefined],
    [' 1s', undefined],
    ['1h', undefined],
    ['s', undefined],
    ['', undefined],
    [`${'9'.repeat(400)}s`, undefined],
  ];
  for (const [text, ms] of durations) t.equal(parseDuration(text), ms, JSON.stringify(text));
});

t.test('a signal is a number or a name, in upper or lower case; 32 and 33 are none', async (t) => {
  const signals: [text: string, n: number | undefined][] = [
    ['15', 15],
    ['TERM', 15],
    ['SIGTERM', 15],
    ['sigTerm', 15],
    ['IOT', 6],
    ['SIGCLD', 17],
    ['POLL', 29],
    ['RTMIN', 34],
    ['SIGRTMIN+30', 64],
    ['RTMIN+0', 34],
    ['RTMAX-30', 34],
    ['rtmax', 64],
    ['64', 64],
    ['RTMIN+31', undefined],
    ['RTMIN-1', undefined],
    ['RTMAX+1', undefined],
    ['RTMAX-31', undefined],
    ['32', undefined],
    ['33', undefined],
    ['65', undefined],
    ['0', undefined],
    ['-1', undefined],
    ['', undefined],
    ['SIG', undefined],
    ['SIGSIGTERM', undefined],
    ['constructor', undefined],
    ['TERM ', undefined],
  ];
  for (const [text, n] of signals) t.equal(parseSignal(text), n, JSON.stringify(text));
});

t.test('the name of each signal is read as its number', async (t) => {
  for (let n = 1; n <= 64; n++) t.equal(parseSignal(signalName(n)), n === 32 || n === 33 ? undefined : n);
});

t.test('lists of pairs are right as a whole or wrong', async (t) => {
  t.strictSame(parseStatusPairs('143:0,1:255'), [
    [143, 0],
    [1, 255],
  ]);
  for (const text of ['', '1', '1:', ':1', '1:2,', '1:256', '1:2:3', 'x:1', '1:-1', '1 :2']) {
    t.equal(parseStatusPairs(text), undefined, text);
  }
  t.strictSame(parseDelays('TERM=5s,2=1ms'), [
    [15, 5000],
    [2, 1],
  ]);
  for (const text of ['TERM', 'TERM=', 'TERM=5', 'FOO=5s', '=5s', 'TERM:5s'])
    t.equal(parseDelays(text), undefined, text);
});

t.test('of a list of rewrites with a wrong part, the first pair counts as in 1.2.5, or none', async (t) => {
  t.strictSame(parseRewrites('15:3,FOO:1'), [[15, 3]]);
  t.strictSame(parseRewrites('15:3,'), [[15, 3]]);
  for (const text of ['TERM:FOO', 'TERM:3,FOO:1', 'TERM', '40:3,', 'TERM:-1', '32:3', '3:33']) {
    t.equal(parseRewrites(text), undefined, text);
  }
});
