import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runContainer } from '../helpers/container.ts';
import { MACHINE, PATIENCE_MS, VERSION } from '../helpers/debian.ts';
import { removeStorage, succeed } from '../helpers/podman.ts';
import { run } from '../helpers/processes.ts';

mkdirSync('build/test', { recursive: true });
const folder = mkdtempSync(join(process.cwd(), 'build/test/dockerfiles-'));
t.teardown(async () => {
  await removeStorage();
  rmSync(folder, { recursive: true });
});
const LIMIT = { timeout: PATIENCE_MS, killSignal: 'SIGKILL' } as const;

// No image can be pulled: the clean Debian root, which has a python3, stands for each that is named.
t.before(async () => {
  await removeStorage(); // of a run that was killed
  execFileSync('tar', ['-C', 'build/debian/root', '-cf', `${folder}/debian.tar`, '.'], LIMIT);
  await succeed('import', `${folder}/debian.tar`, 'localhost/debian:stable-slim');
  await succeed('tag', 'localhost/debian:stable-slim', 'localhost/python:3-slim');
  t.equal((await run('make', ['apt-repo'], { limitMs: PATIENCE_MS })).status, 0);
});

// install-npm.Dockerfile needs an image with Node, which there is none of here.
for (const way of ['binary', 'deb', 'apt', 'pip', 'image']) {
  t.test(
    `install-${way}.Dockerfile: what it builds runs`,
    { skip: MACHINE !== 'x86_64' && 'written for x86_64' },
    async (t) => {
      const file = `test/container/install-${way}.Dockerfile`;
      // With chroot, as podman's own containers ask for limits that not every machine lets us raise.
      const how = [
        '--isolation=chroot',
        '--network=host',
        '--pull=never',
        '--layers=false',
        '--build-arg',
        `VERSION=${VERSION}`,
      ];
      await succeed('build', ...how, '--tag', way, '--file', file, '.');
      const { Entrypoint, Cmd } = JSON.parse(await succeed('inspect', '--format', '{{json .Config}}', way));
      const built = (await succeed('image', 'mount', way)).trim();
      const { status, stderr } = await runContainer({
        layRoot: (root) => void execFileSync('cp', ['-a', `${built}/.`, root], LIMIT),
        args: [...Entrypoint, ...Cmd],
      });
      t.equal(status, 7, stderr);
    },
  );
}
