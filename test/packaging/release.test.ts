import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { place } from '../helpers/container.ts';
import { DIST, inDebian, MACHINE, PATIENCE_MS, VERSION } from '../helpers/debian.ts';
import { run } from '../helpers/processes.ts';

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const BINARY = `dumb-init_${VERSION}_${MACHINE}`;

t.test('the bare executable: copied into a Debian root it runs, as command, shebang and chain', async (t) => {
  const { status, stdout, stderr } = await inDebian(`
    cp /dist/${BINARY} /usr/local/bin/dumb-init
    chmod +x /usr/local/bin/dumb-init
    dumb-init --version
    printf '#!/usr/local/bin/dumb-init /bin/sh\\nreadlink /proc/$PPID/exe; exit 7\\n' > /script
    chmod +x /script
    /script || echo $?
    dumb-init -c dumb-init -c echo 'oh, hi'`);
  t.match(stderr, `dumb-init v${VERSION}`);
  t.equal(stdout, '/usr/local/bin/dumb-init\n7\noh, hi\n');
  t.equal(status, 0);
});

t.test('the bill of materials names the executable, Node and the C libraries', async (t) => {
  const { metadata, components } = JSON.parse(readFileSync(`${DIST}/${BINARY}.cdx.json`, 'utf8'));
  t.strictSame(metadata.component.hashes, [{ alg: 'SHA-256', content: sha256(`${DIST}/${BINARY}`) }]);
  const names: string[] = components.map(({ name }: { name: string }) => name);
  for (const part of [/^node-linux-/, /ffi-rs/, /^libc6/, /^libstdc\+\+6/, /^libgcc-s1/, /^libatomic1/]) {
    t.ok(
      names.some((name) => part.test(name)),
      `${part} in ${names}`,
    );
  }
});

t.test('wherever the version and its date stand they are the same', async (t) => {
  const changelog = readFileSync('debian/changelog', 'utf8');
  t.match(changelog, new RegExp(`^dumb-init \\(${VERSION}\\)`));
  const date = new Date(/^ -- .*> +(.*)$/m.exec(changelog)?.[1] ?? '').toISOString().slice(0, 10);
  t.ok(readFileSync('CHANGELOG.md', 'utf8').includes(`\n## [${VERSION}] - ${date}\n`), date);
  for (const file of readdirSync('test/container').filter((name) => name.startsWith('install-'))) {
    const versions = readFileSync(`test/container/${file}`, 'utf8').match(/\d+\.\d+\.\d+/g) ?? [];
    t.strictSame([...new Set(versions)], versions.length > 0 ? [VERSION] : [], file);
  }
});

for (const cc of ['clang', 'musl-gcc']) {
  t.test(`CC=${cc} makes an executable that works`, async (t) => {
    const out = `build/test/${cc}`;
    rmSync(out, { recursive: true, force: true });
    t.teardown(() => rmSync(out, { recursive: true }));
    // What no compiler has a part in is there already.
    for (const file of ['node', 'node-sea', 'libraries.txt']) place(`build/${MACHINE}/${file}`, `${out}/${file}`);
    const made = await run('make', [`CC=${cc}`, `OUT=${out}`, `${out}/dumb-init`], { limitMs: PATIENCE_MS });
    t.equal(made.status, 0, made.stderr);
    for (const part of ['thaw', 'guard', 'stage'])
      t.match(made.stdout, new RegExp(`^${cc} [^]* -o ${out}/${part}`, 'm'));
    t.equal((await run(`${out}/dumb-init`, ['sh', '-c', 'exit 7'])).status, 7);
  });
}

t.test('another build, at another path and with another umask, has the same bytes', async (t) => {
  // `make reproducible` does it in full, from two clones, which takes too long here.
  const folder = mkdtempSync(join(tmpdir(), 'dumb-init-at-another-path-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const script = `
    umask 077
    tar -c --exclude=./build --exclude=./node_modules --exclude=./.git . | tar -x --no-same-permissions -C "$1"
    ln -s "$PWD/node_modules" "$1"
    make -C "$1" artefacts`;
  const { PATH = '' } = process.env;
  const env = { PATH, HOME: folder, TZ: 'Asia/Tokyo', LC_ALL: 'C' };
  const { status, stderr } = await run('sh', ['-ec', script, 'sh', folder], { env, limitMs: PATIENCE_MS });
  t.equal(status, 0, stderr);
  const dist = `${folder}/build/dist`;
  const made = readdirSync(dist);
  t.equal(made.length, 6, `${made}`);
  for (const name of made) t.equal(sha256(`${dist}/${name}`), sha256(`${DIST}/${name}`), name);
});

t.test('sha256sums has every file that is released; the README of the release, the checksum it wants', async (t) => {
  const sums = readFileSync(`${DIST}/sha256sums`, 'utf8').trim().split('\n');
  const released = readdirSync(DIST).filter((name) => name !== 'sha256sums');
  t.strictSame(
    sums,
    released.sort().map((name) => `${sha256(`${DIST}/${name}`)}  ${name}`),
  );
  const readme = readFileSync(`${DIST}/README.md`, 'utf8');
  t.ok(readme.includes(`\nARG SHA256=${sha256(`${DIST}/dumb-init_${VERSION}_x86_64`)}\n`));
});
