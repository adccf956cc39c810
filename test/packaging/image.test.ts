import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { place, runContainer } from '../helpers/container.ts';
import { DEBIAN_MACHINE, DIST, VERSION } from '../helpers/debian.ts';

interface Descriptor {
  digest: string;
  size: number;
  platform?: { architecture: string; os: string };
}

mkdirSync('build/test', { recursive: true });
const layout = mkdtempSync(join(process.cwd(), 'build/test/image-'));
t.teardown(() => rmSync(layout, { recursive: true }));
execFileSync('tar', ['-xf', `${DIST}/dumb-init_${VERSION}.oci.tar`, '-C', layout]);

const pathOf = ({ digest }: Descriptor) => `${layout}/blobs/${digest.replace(':', '/')}`;
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const [image] = json(`${layout}/index.json`).manifests as [Descriptor];
const { manifests } = json(pathOf(image)) as { manifests: Descriptor[] };

t.test('the image is for both architectures, and whole', async (t) => {
  t.strictSame(json(`${layout}/oci-layout`), { imageLayoutVersion: '1.0.0' });
  t.strictSame(
    manifests.map(({ platform }) => platform),
    ['amd64', 'arm64'].map((architecture) => ({ architecture, os: 'linux' })),
  );
  for (const manifest of manifests) {
    const { config, layers } = json(pathOf(manifest));
    for (const descriptor of [manifest, config, ...layers] as Descriptor[]) {
      const bytes = readFileSync(pathOf(descriptor));
      t.equal(bytes.length, descriptor.size);
      t.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, descriptor.digest);
    }
    const { os, architecture, config: defaults } = json(pathOf(config));
    t.strictSame({ os, architecture }, manifest.platform);
    t.strictSame(defaults.Entrypoint, ['/dumb-init', '--']);
    t.equal(defaults.Labels['org.opencontainers.image.version'], VERSION);
  }
});

t.test('its one layer holds the executable, root-owned, and the notices; it runs', async (t) => {
  const ours = manifests.find(({ platform }) => platform?.architecture === DEBIAN_MACHINE) as Descriptor;
  const [layer] = json(pathOf(ours)).layers as [Descriptor];
  const listing = execFileSync('tar', ['-tvzf', pathOf(layer)], { encoding: 'utf8' });
  t.match(listing, /^-rwxr-xr-x 0\/0 .* dumb-init\n-rw-r--r-- 0\/0 .* dumb-init.NOTICES\n$/);
  execFileSync('tar', ['-xzf', pathOf(layer), '-C', layout, 'dumb-init']);
  const { status } = await runContainer({
    layRoot: (root) => {
      place(`${layout}/dumb-init`, `${root}/dumb-init`);
      place('/bin/busybox', `${root}/busybox`);
    },
    args: ['/dumb-init', '--', '/busybox', 'sh', '-c', 'exit 7'],
  });
  t.equal(status, 7);
});
