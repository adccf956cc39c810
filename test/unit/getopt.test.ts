import t from 'tap';
import { getopt } from '../../src/getopt.ts';

const options = [{ letter: 'f' }, { letter: 'o', argument: 'X' }, { name: 'long', argument: 'X' }, { name: 'lonely' }];

/** The options found, as text, then the operands. */
function read(words: string[], syntax: { long: boolean; permute: boolean }) {
  const argv = ['program', ...words];
  const found: string[] = [];
  const parser = getopt(argv, { options, ...syntax });
  let step = parser.next();
  for (; !step.done; step = parser.next()) {
    const { value } = step;
    found.push('error' in value ? value.error.trim() : `${value.row.letter ?? value.row.name}${value.argument}`);
  }
  return [...found, step.value.map((index) => argv[index]).join(' ')];
}

t.test('with permutation, options are found behind operands, until --', async (t) => {
  const permute = { long: false, permute: true };
  t.strictSame(read(['a', '-f', 'b', '-o', 'x', '-', '--', '-f'], permute), ['f', 'ox', 'a b - -f']);
  t.strictSame(read(['a', '-fo', '--', '-f'], permute), ['f', 'o--', 'f', 'a']);
});

t.test('without, the first operand ends them', async (t) => {
  t.strictSame(read(['-f', 'a', '-f'], { long: false, permute: false }), ['f', 'a -f']);
});

t.test('getopt takes two dashes for a bundle, getopt_long for a name', async (t) => {
  t.strictSame(read(['--f'], { long: false, permute: false }), ["program: invalid option -- '-'", 'f', '']);
  t.strictSame(read(['--long=x', '--lone'], { long: true, permute: false }), ['longx', 'lonely', '']);
});

t.test('an unabbreviated option must be written out, and makes no abbreviation ambiguous', async (t) => {
  const argv = ['program', '--wa', '--wait', '--wait-all', '--wait-al'];
  const parser = getopt(argv, {
    options: [{ name: 'wait' }, { name: 'wait-all', unabbreviated: true }],
    ...{ long: true, permute: false },
  });
  const names = [...parser].map((found) => ('row' in found ? found.row.name : found.error));
  t.strictSame(names, ['wait', 'wait', 'wait-all', "program: unrecognized option '--wait-al'\n"]);
});
