import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { DIST, inDebian, MACHINE, PATIENCE_MS, VERSION } from '../helpers/debian.ts';
import { run } from '../helpers/processes.ts';

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
  const sha256 = createHash('sha256')
    .update(readFileSync(`${DIST}/${BINARY}`))
    .digest('hex');
  t.strictSame(metadata.component.hashes, [{ alg: 'SHA-256', content: sha256 }]);
  const names: string[] = components.map(({ name }: { name: string }) => name);
  for (const part of [/^node-linux-/, /ffi-rs/, /^libc6/, /^libstdc\+\+6/, /^libgcc-s1/, /^libatomic1/]) {
    t.ok(
      names.some((name) => part.test(name)),
      `${part} in ${names}`,
    );
  }
});

t.test('wherever the version stands it is the same', async (t) => {
  t.match(readFileSync('debian/changelog', 'utf8'), new RegExp(`^dumb-init \\(${VERSION}\\)`));
  t.match(readFileSync('CHANGELOG.md', 'utf8'), new RegExp(`^## \\[${VERSION}\\]`, 'm'));
});

for (const cc of ['clang', 'musl-gcc']) {
  t.test(`CC=${cc} makes an executable that works`, async (t) => {
    const out = `build/test/${cc}`;
    const made = await run('make', [`CC=${cc}`, `OUT=${out}`, `${out}/dumb-init`], { limitMs: PATIENCE_MS });
    t.equal(made.status, 0, made.stderr);
    t.match(made.stdout, new RegExp(`^${cc} [^]*launcher\\.c`, 'm'));
    t.equal((await run(`${out}/dumb-init`, ['sh', '-c', 'exit 7'])).status, 7);
    await run('rm', ['-r', out]);
  });
}
