import { execFileSync } from 'node:child_process';
import t from 'tap';
import { OFFSETS, SIZEOF_FROZEN } from '../../src/libc/frozen-layout.ts';
import { fixture } from '../helpers/processes.ts';

t.test('the struct that freeze, packer and thaw fill in is laid out as the program reads it', (t) => {
  const lines = execFileSync(fixture('layout'), { encoding: 'utf8' }).trim().split('\n');
  const layout = Object.fromEntries(lines.map((line) => line.split(' ')).map(([name, value]) => [name, Number(value)]));
  t.strictSame({ ...OFFSETS, sizeof: SIZEOF_FROZEN }, layout);
  t.end();
});
