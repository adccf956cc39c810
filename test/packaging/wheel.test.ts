import { readdirSync } from 'node:fs';
import t from 'tap';
import { DIST, inDebian, MACHINE, VERSION } from '../helpers/debian.ts';

const [wheel = ''] = readdirSync(DIST).filter((name) => name.startsWith('dumb_init-') && name.includes(MACHINE));

t.test('pip install in a fresh venv, without network: the executable itself is on PATH', async (t) => {
  const { status, stdout, stderr } = await inDebian(`
    python3 -m venv /venv
    /venv/bin/pip install -q --no-index --find-links /dist dumb-init
    . /venv/bin/activate
    dumb-init --version
    dumb-init sh -c 'readlink /proc/$PPID/exe; exit 7' || echo $?
    pip check
    pip show -f dumb-init | grep -E 'NOTICES|LICENSE' | wc -l
    pip uninstall -qy dumb-init
    ls /venv/bin/dumb-init || echo gone`);
  t.equal(status, 0);
  t.match(stderr, `dumb-init v${VERSION}`);
  t.equal(stdout, '/venv/bin/dumb-init\n7\nNo broken requirements found.\n2\ngone\n');
});

t.test('pip takes it on this architecture alone, whatever the libc', async (t) => {
  const other = MACHINE === 'x86_64' ? 'aarch64' : 'x86_64';
  const { stdout } = await inDebian(`
    mkdir /only && cp '/dist/${wheel}' /only
    python3 -m venv /venv
    for platform in manylinux2014_${MACHINE} musllinux_1_1_${MACHINE} manylinux2014_${other}; do
      /venv/bin/pip download -q --no-index --find-links /only --only-binary :all: --platform $platform -d /got dumb-init &&
        echo $platform
    done || true`);
  t.equal(stdout, `manylinux2014_${MACHINE}\nmusllinux_1_1_${MACHINE}\n`);
});
