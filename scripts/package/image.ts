/**
 * An OCI image layout that holds the executable and nothing else, for every platform
 * (github.com/opencontainers/image-spec); what `COPY --from=` needs, made without a daemon.
 *
 *   image.ts FOLDER NOTICES ARCHITECTURE=EXECUTABLE…
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import packageJson from '../../package.json' with { type: 'json' };
import { platformOf } from '../platforms.ts';

const [folder, notices, ...executables] = process.argv.slice(2) as [string, string, ...string[]];
const { version, description, license } = packageJson;
const { SOURCE_DATE_EPOCH = '0' } = process.env;
const created = new Date(Number(SOURCE_DATE_EPOCH) * 1000).toISOString();

const MEDIA_TYPE = 'application/vnd.oci.image';
const labels = {
  'org.opencontainers.image.title': 'dumb-init',
  'org.opencontainers.image.description': description,
  'org.opencontainers.image.version': version,
  'org.opencontainers.image.licenses': license,
  'org.opencontainers.image.created': created,
};
const digest = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Writes a blob, and returns what a descriptor says of it. */
function blob(mediaType: string, content: Buffer | object) {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
  writeFileSync(`${folder}/blobs/sha256/${digest(bytes).slice('sha256:'.length)}`, bytes);
  return { mediaType, digest: digest(bytes), size: bytes.length };
}

/** The root folder of the image: the executable, and whose work it is. */
function layerOf(executable: string): Buffer {
  const root = `${folder}.root`;
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
  linkSync(executable, `${root}/dumb-init`);
  copyFileSync(notices, `${root}/dumb-init.NOTICES`);
  const tar = ['--create', '--format=ustar', '--owner=0', '--group=0', '--numeric-owner', '--mode=go=rX,u=rwX'];
  const bytes = execFileSync(
    'tar',
    [...tar, `--mtime=@${SOURCE_DATE_EPOCH}`, `--directory=${root}`, 'dumb-init', 'dumb-init.NOTICES'],
    { maxBuffer: Number.POSITIVE_INFINITY },
  );
  rmSync(root, { recursive: true });
  return bytes;
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(`${folder}/blobs/sha256`, { recursive: true });

const manifests = executables.map((argument) => {
  const [architecture, executable] = argument.split('=') as [string, string];
  const platform = { architecture: platformOf(architecture).oci, os: 'linux' };
  const layer = layerOf(executable);
  const config = blob(`${MEDIA_TYPE}.config.v1+json`, {
    created,
    ...platform,
    config: { Entrypoint: ['/dumb-init', '--'], Labels: labels },
    rootfs: { type: 'layers', diff_ids: [digest(layer)] },
    history: [{ created, comment: 'dumb-init' }],
  });
  const manifest = blob(`${MEDIA_TYPE}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${MEDIA_TYPE}.manifest.v1+json`,
    config,
    layers: [blob(`${MEDIA_TYPE}.layer.v1.tar+gzip`, gzipSync(layer))],
    annotations: labels,
  });
  return { ...manifest, platform };
});

// One name for both: an index within the index, as runtimes look for it.
const image = blob(`${MEDIA_TYPE}.index.v1+json`, {
  schemaVersion: 2,
  mediaType: `${MEDIA_TYPE}.index.v1+json`,
  manifests,
});
writeFileSync(`${folder}/oci-layout`, JSON.stringify({ imageLayoutVersion: '1.0.0' }));
writeFileSync(
  `${folder}/index.json`,
  JSON.stringify({
    schemaVersion: 2,
    mediaType: `${MEDIA_TYPE}.index.v1+json`,
    manifests: [{ ...image, annotations: { 'org.opencontainers.image.ref.name': `dumb-init:${version}` } }],
  }),
);
