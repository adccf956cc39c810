/** The walls of the house: they stand in biome.json, and `make check` keeps them. */
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { run } from '../helpers/processes.ts';

/** What the linter says of files, in a folder of their own under the same rules. */
async function lint(t: Test, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = mkdtempSync(resolve('build/test/walls-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const rules = { root: true, ...JSON.parse(readFileSync('biome.json', 'utf8')), vcs: { enabled: false } };
  for (const [path, text] of Object.entries({ ...files, 'biome.json': JSON.stringify(rules) })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `${text}\n`);
  }
  const biome = resolve('node_modules/.bin/biome');
  const only = ['--only=style/noRestrictedImports', '--only=suspicious/noImportCycles'];
  const { stdout, stderr } = await run(process.execPath, [biome, 'lint', ...only, '.'], { cwd: folder });
  return stdout + stderr;
}

const REFUSED: [path: string, line: string, why: string][] = [
  ['src/decide.ts', "import { kill } from './libc/children.ts';", 'Policy makes no system call'],
  ['src/begin.ts', "import type { ProcessRecord } from './libc/record.ts';", 'Policy makes no system call'],
  ['src/personalities/tini.ts', "import { write } from '../libc/output.ts';", 'Policy makes no system call'],
  ['src/log.ts', "import { readFileSync } from 'node:fs';", 'Policy is pure'],
  ['src/libc/proc.ts', "import type { Identity } from '../voice.ts';", 'nothing of policy'],
  ['src/libc/ffi.ts', "import { decide } from '../decide.ts';", 'nothing of policy'],
  ['src/libc/spawn.ts', "import { load } from 'ffi-rs';", 'through src/libc/ffi.ts alone'],
  ['src/run.ts', "import { load } from 'ffi-rs';", 'through src/libc/ffi.ts alone'],
];

t.test('the linter refuses an import through a wall, of a type too', async (t) => {
  for (const [path, line, why] of REFUSED) t.match(await lint(t, { [path]: line }), why, `${path}: ${line}`);
});

t.test('the linter allows the wiring to import both sides, and both sides to import facts', async (t) => {
  const said = await lint(t, {
    'src/run.ts': "import { write } from './libc/output.ts';",
    'src/perform.ts': "import type { Action } from './state.ts';",
    'src/libc/children.ts': "import { ECHILD } from '../abi.ts';",
    'src/personalities/tini.ts': "import { ENOTTY } from '../abi.ts';",
    'src/libc/ffi.ts': "import { load } from 'ffi-rs';",
  });
  t.notMatch(said, 'noRestrictedImports');
});

t.test('the linter refuses a cycle of imports, of types too', async (t) => {
  const said = await lint(t, {
    'src/a.ts': "import type { B } from './b.ts';\nexport type A = B;",
    'src/b.ts': "import type { A } from './a.ts';\nexport type B = A;",
  });
  t.match(said, 'cycle');
});

t.test('no file of src is longer than 250 lines, but for the table of options', async (t) => {
  const long = globSync('src/**/*.{ts,c,h}').filter((path) => readFileSync(path, 'utf8').split('\n').length > 251);
  t.strictSame(long, ['src/option-table.ts']);
});
