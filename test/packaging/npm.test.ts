import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { PLATFORMS } from '../../scripts/platforms.ts';
import { DIST, inDebian, NPM_MACHINE, PATIENCE_MS, VERSION } from '../helpers/debian.ts';
import { run } from '../helpers/processes.ts';

mkdirSync('build/test', { recursive: true });
const project = mkdtempSync(join(process.cwd(), 'build/test/npm-'));
writeFileSync(`${project}/package.json`, '{}'); // without one npm takes a folder further up for the project
t.teardown(() => rmSync(project, { recursive: true }));

const npm = (...args: string[]) =>
  run('npm', [...args, '--offline', '--cache', `${project}/cache`], { cwd: project, limitMs: PATIENCE_MS });

t.test('npm install in a fresh folder, without network and without scripts', async (t) => {
  const tarballs = [`dumb-init-${VERSION}.tgz`, `dumb-init-linux-${NPM_MACHINE}-${VERSION}.tgz`];
  const { status, stderr } = await npm('install', '--ignore-scripts', ...tarballs.map((name) => `${DIST}/${name}`));
  t.equal(stderr, '');
  t.equal(status, 0);
  const manifest = JSON.parse(readFileSync(`${project}/node_modules/dumb-init/package.json`, 'utf8'));
  t.strictSame(
    manifest.optionalDependencies,
    Object.fromEntries(PLATFORMS.map((platform) => [`@dumb-init/linux-${platform.npm}`, VERSION])),
  );
});

t.test('npx dumb-init runs the executable of the npm package', async (t) => {
  const { status, stderr } = await npm('exec', '--', 'dumb-init', '--version');
  t.match(stderr, `dumb-init v${VERSION}`);
  t.equal(status, 0);
});

t.test('node_modules/.bin/dumb-init becomes the executable: same PID, and nothing between', async (t) => {
  const { status, stdout } = await inDebian(
    `
    /${basename(project)}/node_modules/.bin/dumb-init sh -c 'readlink /proc/$PPID/exe; echo $PPID; exit 7' &
    started=$!
    wait $started || echo $?
    echo $started`,
    [project],
  );
  const [exe, parent, code, started] = stdout.split('\n');
  t.equal(exe, `/${basename(project)}/node_modules/@dumb-init/linux-${NPM_MACHINE}/dumb-init`);
  t.equal(parent, started);
  t.equal(code, '7');
  t.equal(status, 0);
});

t.test('without the package of this platform: one line, and status 1', async (t) => {
  const { status, stderr } = await run('scripts/package/npm-dumb-init', ['true']);
  t.equal(stderr, `[dumb-init] The npm package @dumb-init/linux-${NPM_MACHINE} is not installed. Exiting.\n`);
  t.equal(status, 1);
});
