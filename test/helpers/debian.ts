/** A clean Debian root, of which every test has its own copy. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { machine } from 'node:os';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { platformOf } from '../../scripts/platforms.ts';
import { type Result, run } from './processes.ts';

/** What is released, and where the clean root shows it. */
export const DIST = `${process.cwd()}/build/dist`;
export const { version: VERSION } = packageJson;
/** This machine, as `uname -m`, Debian and npm say it. */
export const { architecture: MACHINE, oci: DEBIAN_MACHINE, npm: NPM_MACHINE } = platformOf(machine());

/** For whatever unpacks or reads a package of this size, on a busy machine. */
export const PATIENCE_MS = 5 * 60_000;

// All that is mounted or written goes with the mount namespace: it lies in a tmpfs of its own.
const SET_UP = `
set -e
mount -t tmpfs tmpfs "$FOLDER"
mkdir "$FOLDER/upper" "$FOLDER/work" "$FOLDER/root"
mount -t overlay -o "lowerdir=$PWD/build/debian/root,upperdir=$FOLDER/upper,workdir=$FOLDER/work" overlay "$FOLDER/root"
mount -t proc proc "$FOLDER/root/proc"
mount --rbind /dev "$FOLDER/root/dev"
for folder; do
  mkdir "$FOLDER/root/$(basename "$folder")"
  mount --bind -o ro "$folder" "$FOLDER/root/$(basename "$folder")"
done
exec chroot "$FOLDER/root" /bin/sh -ec "$SCRIPT"
`;

/**
 * Runs a shell script (`sh -e`) as root of a minimal Debian.
 *
 * @param folders shown there read-only, each under its own name: `build/dist` as /dist
 */
export async function inDebian(script: string, folders: readonly string[] = [DIST]): Promise<Result> {
  mkdirSync('build/test', { recursive: true });
  const folder = mkdtempSync(join(process.cwd(), 'build/test/debian-'));
  try {
    return await run(
      'unshare',
      ['--mount', '--pid', '--fork', '--kill-child', '--', 'sh', '-c', SET_UP, 'sh', ...folders],
      {
        env: {
          PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
          ...{ LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive', HOME: '/root' },
          ...{ FOLDER: folder, SCRIPT: script },
        },
        limitMs: PATIENCE_MS,
      },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * `make apt-repo` into a folder.
 *
 * @param signed by a key that is made for it, and gone afterwards; the repository has the public one
 * @returns what make printed
 */
export async function aptRepository(folder: string, { signed }: { signed: boolean }): Promise<string> {
  const home = mkdtempSync('/tmp/gpg-'); // gpg-agent's socket wants a short path
  const env = { ...process.env, GNUPGHOME: home } as Record<string, string>;
  try {
    const key = ['--batch', '--passphrase', '', '--quick-generate-key', 'packager', 'default', 'default', 'never'];
    if (signed) await run('gpg', key, { env });
    const words = ['apt-repo', `APT=${folder}`, ...(signed ? ['APT_KEY=packager'] : [])];
    const { status, stdout, stderr } = await run('make', words, { env, limitMs: PATIENCE_MS });
    if (status !== 0) throw new Error(`make apt-repo: status ${status}\n${stderr}`);
    return stdout;
  } finally {
    await run('gpgconf', ['--kill', 'all'], { env });
    rmSync(home, { recursive: true });
  }
}
