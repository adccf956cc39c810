import { execFileSync } from 'node:child_process';
import t from 'tap';
import * as abi from '../../src/abi.ts';
import { fixture } from '../helpers/processes.ts';

t.test('numbers and layouts are those of the C headers', (t) => {
  const lines = execFileSync(fixture('abi'), { encoding: 'utf8' }).trim().split('\n');
  const headers = Object.fromEntries(
    lines.map((line) => line.split(' ')).map(([name, value]) => [name, Number(value)]),
  );
  const { SYSTEM_CALLS, ...numbers } = abi;
  const calls = Object.entries(SYSTEM_CALLS).map(([name, n]) => [`SYS_${name}`, n]);
  t.strictSame({ ...numbers, ...Object.fromEntries(calls) }, headers);
  t.end();
});
