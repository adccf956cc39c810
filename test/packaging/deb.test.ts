import { mkdtempSync, rmSync } from 'node:fs';
import t from 'tap';
import { DEBIAN_MACHINE, DIST, inDebian, PATIENCE_MS, VERSION } from '../helpers/debian.ts';
import { run } from '../helpers/processes.ts';

const DEB = `dumb-init_${VERSION}_${DEBIAN_MACHINE}.deb`;
const DEBIANS_OWN = `${process.cwd()}/build/debian/dumb-init_1.2.5-2_${DEBIAN_MACHINE}.deb`;

t.test('lintian finds no error in the package', async (t) => {
  const { status, stdout } = await run('lintian', ['--allow-root', '--fail-on=error,warning', `${DIST}/${DEB}`], {
    limitMs: PATIENCE_MS,
  });
  t.equal(stdout, '');
  t.equal(status, 0);
});

t.test('the package depends on nothing, and says whose sources it is built from', async (t) => {
  const { stdout } = await run('dpkg-deb', ['--field', `${DIST}/${DEB}`]);
  t.notMatch(stdout, /^(Pre-)?(Depends|Recommends|Conflicts|Breaks|Replaces):/m);
  t.match(stdout, /^Built-Using: .*gcc.*glibc/m);
});

t.test('dpkg -i: it is on PATH, and runs', async (t) => {
  const { status, stdout, stderr } = await inDebian(`
    dpkg -i /dist/${DEB} >&2
    dumb-init --version
    dumb-init sh -c 'exit 7' || echo $?
    dpkg --verify dumb-init`);
  t.match(stderr, `dumb-init v${VERSION}`);
  t.equal(stdout, '7\n');
  t.equal(status, 0);
});

t.test('removed and purged, it leaves the system as it was', async (t) => {
  for (const action of ['--remove', '--purge']) {
    const { status, stdout } = await inDebian(`
      state() { find / -xdev \\( -path /var/log -o -path '/var/lib/dpkg/*-old' \\) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum; }
      state > /dev/shm/before-$$
      dpkg -i /dist/${DEB} >&2
      dpkg ${action} dumb-init >&2
      state > /dev/shm/after-$$
      diff /dev/shm/before-$$ /dev/shm/after-$$ || true
      rm /dev/shm/before-$$ /dev/shm/after-$$`);
    t.equal(stdout, '', `after ${action}`);
    t.equal(status, 0);
  }
});

t.test("an upgrade from Debian's own 1.2.5-2 leaves nothing of it, and the way back is open", async (t) => {
  const { status, stdout, stderr } = await inDebian(
    `
    dpkg -i /debian/dumb-init_1.2.5-2_${DEBIAN_MACHINE}.deb >&2
    dpkg -i /dist/${DEB} >&2
    dumb-init --version
    dpkg --verify dumb-init
    dpkg --listfiles dumb-init | while read -r file; do [ -e "$file" ] || echo "$file is missing"; done
    dpkg -i /debian/dumb-init_1.2.5-2_${DEBIAN_MACHINE}.deb >&2
    dumb-init --version`,
    [DIST, DEBIANS_OWN.replace(/\/[^/]*$/, '')],
  );
  t.match(stderr, new RegExp(`dumb-init v${VERSION}[^]*dumb-init v1.2.5`));
  t.equal(stdout, '');
  t.equal(status, 0);
});

const install = (options: string) => `
  rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
  echo 'deb ${options} file:/apt stable main' > /etc/apt/sources.list
  apt-get -q update 2>&1
  apt-get -qy install dumb-init 2>&1
  dumb-init sh -c 'echo run by $(cat /proc/$PPID/comm)'`;
const APT = `${process.cwd()}/build/apt`;

t.test('apt-get installs it from a repository that make apt-repo wrote', async (t) => {
  await t.test('unsigned: only where it is trusted', async (t) => {
    const made = await run('make', ['apt-repo'], { limitMs: PATIENCE_MS });
    t.match(made.stdout, 'build/apt is NOT signed');
    t.match(await inDebian(install('[trusted=yes]'), [APT]), { status: 0, stdout: /run by dumb-init\n$/ });
    t.match(await inDebian(install(''), [APT]), { status: 100, stdout: /not signed/ });
  });

  await t.test('signed: by whoever has the key', async (t) => {
    const home = mkdtempSync('/tmp/gpg-'); // gpg-agent's socket wants a short path
    const env = { ...process.env, GNUPGHOME: home } as Record<string, string>;
    try {
      const key = ['--batch', '--passphrase', '', '--quick-generate-key', 'packager', 'default', 'default', 'never'];
      t.equal((await run('gpg', key, { env })).status, 0);
      const made = await run('make', ['apt-repo', 'APT_KEY=packager'], { env, limitMs: PATIENCE_MS });
      t.match(made.stdout, 'build/apt is signed with packager');
      t.equal((await run('gpg', ['--output', `${APT}/key.gpg`, '--export', 'packager'], { env })).status, 0);
      const result = await inDebian(install('[signed-by=/apt/key.gpg]'), [APT]);
      t.match(result, { status: 0, stdout: /run by dumb-init\n$/ });
    } finally {
      await run('gpgconf', ['--kill', 'all'], { env });
      rmSync(home, { recursive: true });
    }
  });
});
