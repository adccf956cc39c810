import { execFileSync } from 'node:child_process';
import t from 'tap';
import { HOT, LOOKED_AT, MOST_HEADERS, STACK } from '../../scripts/build/layout.ts';
import { MAX_CLEAN, OFFSETS, SIZEOF_FROZEN } from '../../src/libc/frozen-layout.ts';
import { PUT_OWN_PID, STEP, STEP_WORDS } from '../../src/libc/step-layout.ts';
import { fixture } from '../helpers/processes.ts';

/** As the C compiler has it. */
const lines = execFileSync(fixture('layout'), { encoding: 'utf8' }).trim().split('\n');
const layout = Object.fromEntries(lines.map((line) => line.split(/ (?=\d)/)).map(([name, n]) => [name, Number(n)]));

/** The fields of a struct. */
const fieldsOf = (struct: string) =>
  Object.fromEntries(
    Object.entries(layout).flatMap(([name, at]) =>
      name.startsWith(`${struct}.`) ? [[name.slice(struct.length + 1), at]] : [],
    ),
  );

t.test('the struct that freeze, packer and thaw fill in is laid out as the program reads it', async (t) => {
  t.strictSame(fieldsOf('frozen'), OFFSETS);
  t.equal(layout['frozen'], SIZEOF_FROZEN);
  t.equal(layout['MAX_CLEAN'], MAX_CLEAN);
});

t.test("the steps of the command's process are laid out as the guard reads them", async (t) => {
  t.strictSame(fieldsOf('step'), Object.fromEntries(Object.entries(STEP).map(([name, word]) => [name, word * 8])));
  t.equal(layout['step'], STEP_WORDS * 8);
  t.equal(layout['PUT_OWN_PID'], PUT_OWN_PID);
});

t.test('the sizes that the build and the C of the image count on are the same', async (t) => {
  t.match(layout, { HOT, MOST_HEADERS, STACK, 'LOOKED_AT * LEAST_PAGE': LOOKED_AT });
});
