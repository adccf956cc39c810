/** Make's rules: whatever a script reads is a prerequisite of what it makes, so that nothing old is packed. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { PLATFORMS } from '../../scripts/platforms.ts';
import { concurrently } from '../helpers/concurrently.ts';
import { DEBIAN_MACHINE, MACHINE, NPM_MACHINE, VERSION } from '../helpers/debian.ts';
import { run } from '../helpers/processes.ts';

const DIST = 'build/dist';
const OUT = `build/${MACHINE}`;

/** A module and all that it imports of ours, types aside. */
function closureOf(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  if (!path.endsWith('.ts')) return found;
  const text = readFileSync(path, 'utf8');
  const statements = text.matchAll(/^(?:import|export)(?! type)[^;]*? from '(\.[^']+)'|^import '(\.[^']+)'/gm);
  for (const [, from, bare] of statements) closureOf(join(dirname(path), from ?? bare ?? ''), found);
  return found;
}

/** What is made: by which script, and what that reads beside its own code. */
const MADE: { target: string; script: string; reads?: string[] }[] = [
  { target: 'build/main.cjs', script: 'scripts/build/bundle.ts', reads: [...closureOf('src/main.ts')] },
  { target: `${OUT}/node`, script: 'scripts/build/prepare.ts' },
  { target: `${OUT}/libraries.txt`, script: 'scripts/build/libraries.ts' },
  { target: `${OUT}/frozen/memory`, script: 'scripts/build/freeze.ts' },
  { target: `${OUT}/dumb-init`, script: 'scripts/build/pack.ts' },
  {
    target: 'build/doc/dumb-init.1',
    script: 'scripts/package/documents.ts',
    reads: ['docs/dumb-init.1.in', 'debian/changelog'],
  },
  {
    target: `${DIST}/dumb_init-${VERSION}-py3-none-manylinux2014_${MACHINE}.manylinux_2_17_${MACHINE}.musllinux_1_1_${MACHINE}.whl`,
    script: 'scripts/package/wheel.ts',
    reads: ['README.md', 'LICENSE', 'debian/copyright', `${OUT}/dumb-init`],
  },
  {
    target: `${DIST}/dumb-init-linux-${NPM_MACHINE}-${VERSION}.tgz`,
    script: 'scripts/package/npm.ts',
    reads: ['README.md', 'LICENSE', 'debian/copyright', `${OUT}/dumb-init`],
  },
  {
    target: `${DIST}/dumb-init-${VERSION}.tgz`,
    script: 'scripts/package/npm.ts',
    reads: ['README.md', 'LICENSE', 'scripts/package/npm-dumb-init'],
  },
  {
    target: `${DIST}/dumb-init_${VERSION}_${MACHINE}.cdx.json`,
    script: 'scripts/package/components.ts',
    reads: [`${OUT}/dumb-init`, `${OUT}/libraries.txt`],
  },
  {
    target: `${DIST}/dumb-init_${VERSION}.oci.tar`,
    script: 'scripts/package/image.ts',
    reads: ['debian/copyright', `${OUT}/dumb-init`],
  },
];

const make = async (...words: string[]) => (await run('make', ['--dry-run', ...words])).stdout;

for (const { target, script, reads = [] } of MADE) {
  t.test(`${target} is made anew when anything that its script reads has changed`, async (t) => {
    t.notMatch(await make(target), script, 'nothing has changed yet');
    const inputs = [...closureOf(script), ...reads];
    const stale = await concurrently(inputs, async (input) =>
      (await make('--what-if', input, target)).includes(script) ? [] : [input],
    );
    t.strictSame(stale.flat(), []);
  });
}

t.test('the Debian package is made anew when anything that it holds has changed', async (t) => {
  const target = `${DIST}/dumb-init_${VERSION}_${DEBIAN_MACHINE}.deb`;
  for (const input of ['debian/rules', 'src/option-table.ts', 'docs/dumb-init.1.in', 'src/image/thaw.c']) {
    t.match(await make('--what-if', input, target), 'debian/rules binary', input);
  }
});

t.test('C of the image is compiled anew when a header of its has changed', async (t) => {
  for (const header of ['arch.h', 'frozen.h', 'sys.h', 'libc.h', 'step.h', 'payload.h', 'stage/stage.h']) {
    const parts = header.startsWith('stage/') ? ['stage'] : ['thaw', 'guard', 'stage'];
    for (const part of parts) {
      const name = part === 'thaw' ? 'thaw' : `${part}.so`;
      t.match(await make('--what-if', `src/image/${header}`, `${OUT}/${name}`), `-o ${OUT}/${name}`, header);
    }
  }
});

t.test("the Makefile's words for each platform are those of the table", async (t) => {
  for (const { architecture, npm, oci } of PLATFORMS) {
    const words = `$(OTHER) $(CPU.${architecture}) $(DEB.${architecture})`;
    const { stdout } = await run('make', [
      '-s',
      `MACHINE=${architecture}`,
      '--eval',
      `words: ; @echo ${words}`,
      'words',
    ]);
    const others = PLATFORMS.filter((other) => other.architecture !== architecture).map((other) => other.architecture);
    t.equal(stdout, `${[...others, npm, oci].join(' ')}\n`);
  }
});
