import t from 'tap';
import { ending, exitStatus } from '../../src/wait-status.ts';

t.test('every exit code comes out as itself', (t) => {
  for (let code = 0; code < 256; code++) {
    t.strictSame(ending(code << 8), { kind: 'exited', code });
    t.equal(exitStatus(ending(code << 8)), code);
  }
  t.end();
});

t.test('a fatal signal comes out as 128 + its number, core dump or not', (t) => {
  for (let signal = 1; signal <= 64; signal++) {
    for (const coreFlag of [0, 0x80]) {
      t.strictSame(ending(signal | coreFlag), { kind: 'signaled', signal });
      t.equal(exitStatus(ending(signal | coreFlag)), 128 + signal);
    }
  }
  t.end();
});
