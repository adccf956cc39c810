import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { place, runContainer } from '../helpers/container.ts';
import { aptRepository, DEBIAN_MACHINE, DIST, MACHINE, PATIENCE_MS, VERSION } from '../helpers/debian.ts';
import { removeStorage, succeed } from '../helpers/podman.ts';
import { type Registries, startRegistries } from '../helpers/registries.ts';

mkdirSync('build/test', { recursive: true });
const folder = mkdtempSync(join(process.cwd(), 'build/test/dockerfiles-'));
let registries: Registries;
t.teardown(async () => {
  await registries.stop();
  await removeStorage();
  rmSync(folder, { recursive: true });
});
const LIMIT = { timeout: PATIENCE_MS, killSignal: 'SIGKILL' } as const;

/** With chroot, as podman's own containers ask for limits that not every machine lets us raise. */
const build = (tag: string, context: string, ...options: string[]) =>
  succeed(
    'build',
    ...['--isolation=chroot', '--network=host', '--http-proxy=false', '--pull=never', '--layers=false'],
    ...[...options, '--tag', tag, context],
  );

/** No image can be pulled: these stand for those that are named. */
async function makeBaseImages(): Promise<void> {
  await succeed('import', 'build/test/busybox.tar', 'localhost/busybox:stable');
  // Without the servers of Debian, which only a machine with a network reaches.
  const sources = ['--exclude=./etc/apt/sources.list', '--exclude=./etc/apt/sources.list.d/*'];
  execFileSync('tar', ['-C', 'build/debian/root', ...sources, '-cf', `${folder}/root.tar`, '.'], LIMIT);
  await succeed('import', `${folder}/root.tar`, 'localhost/debian:stable-slim');
  const from = async (tag: string, ...lines: string[]) => {
    writeFileSync(`${folder}/Dockerfile`, ['FROM debian:stable-slim', ...lines].join('\n'));
    await build(tag, folder, '--file', `${folder}/Dockerfile`);
  };
  await from('localhost/python:3-slim', 'RUN python3 -m venv /usr/local', `ENV PIP_INDEX_URL=${registries.url}/pip`);
  const npm = dirname(dirname(execFileSync('sh', ['-c', 'readlink -f "$(command -v npm)"'], { encoding: 'utf8' })));
  cpSync(npm, `${folder}/npm`, { recursive: true });
  place(process.execPath, `${folder}/node`);
  await from(
    'localhost/node:lts-slim',
    'COPY node /usr/local/bin/node',
    'COPY npm /usr/local/lib/node_modules/npm',
    'RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm',
    `ENV npm_config_registry=${registries.url}/npm`,
  );
  await succeed('load', '--input', `${DIST}/dumb-init_${VERSION}.oci.tar`);
}

t.before(async () => {
  await removeStorage(); // of a run that was killed
  await aptRepository(`${folder}/apt`, { signed: true });
  registries = await startRegistries(`${folder}/apt`);
  await makeBaseImages();
});

/** They are written for x86_64. */
const forThisMachine = (text: string) => text.replaceAll('x86_64', MACHINE).replaceAll('amd64', DEBIAN_MACHINE);
const sum = new RegExp(`^(\\w+)  dumb-init_${VERSION}_${MACHINE}$`, 'm');

for (const way of ['wget', 'apt', 'dpkg', 'copy', 'pip', 'npm']) {
  t.test(`install-${way}.Dockerfile, as the README has it: what it builds runs`, async (t) => {
    const text = readFileSync(`test/container/install-${way}.Dockerfile`, 'utf8');
    t.ok(readFileSync('README.md', 'utf8').includes(text), 'the README has these lines');
    const file = `${folder}/${way}.Dockerfile`;
    writeFileSync(file, forThisMachine(text));
    const [, sha256] = sum.exec(readFileSync(`${DIST}/sha256sums`, 'latin1')) ?? [];
    const args = { RELEASE: `${registries.url}/dist`, REPOSITORY: `${registries.url}/apt`, SHA256: sha256 };
    const options = Object.entries(args).map(([name, value]) => `--build-arg=${name}=${value}`);
    await build(way, DIST, '--file', file, ...options);
    const { Entrypoint } = JSON.parse(await succeed('inspect', '--format', '{{json .Config}}', way));
    const root = (await succeed('image', 'mount', way)).trim();
    const { status, stdout, stderr } = await runContainer({
      layRoot: () => {},
      configure: (config) => {
        config.root.path = root;
      },
      args: [...Entrypoint, 'sh', '-c', 'cat /proc/1/comm; exit 7'],
    });
    t.equal(stdout, 'dumb-init\n');
    t.equal(status, 7, stderr);
  });
}
