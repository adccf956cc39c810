import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { aptRepository, DEBIAN_MACHINE, DIST, inDebian, PATIENCE_MS, VERSION } from '../helpers/debian.ts';
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

t.test('once made it is not made again, as for a repository', async (t) => {
  t.equal((await run('make', ['--question', `build/dist/${DEB}`])).status, 0);
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
  const { status, stdout } = await inDebian(`
    state() { find / -xdev \\( -path /var/log -o -path '/var/lib/dpkg/*-old' \\) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum; }
    mount -t tmpfs tmpfs /mnt
    state > /mnt/before
    for action in --remove --purge; do
      dpkg -i /dist/${DEB} >&2
      dpkg $action dumb-init >&2
      state > /mnt/after
      diff /mnt/before /mnt/after || echo "after $action"
    done`);
  t.equal(stdout, '');
  t.equal(status, 0);
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

for (const signed of [false, true]) {
  t.test(`apt-get installs it from a repository that make apt-repo wrote, ${signed ? '' : 'un'}signed`, async (t) => {
    mkdirSync('build/test', { recursive: true });
    const folder = mkdtempSync(join(process.cwd(), 'build/test/apt-'));
    const apt = join(folder, 'apt');
    t.teardown(() => rmSync(folder, { recursive: true }));
    const runs = { status: 0, stdout: /run by dumb-init\n$/ };
    if (signed) {
      t.match(await aptRepository(apt, { signed }), 'is signed with packager');
      t.match(await inDebian(install('[signed-by=/apt/key.gpg]'), [apt]), runs);
    } else {
      t.match(await aptRepository(apt, { signed }), 'is NOT signed');
      t.match(await inDebian(install('[trusted=yes]'), [apt]), runs);
      t.match(await inDebian(install(''), [apt]), { status: 100, stdout: /not signed/ });
    }
  });
}
