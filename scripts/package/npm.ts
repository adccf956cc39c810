/**
 * The folders from which the npm packages are packed: one a platform, which holds the executable,
 * and `dumb-init`, which depends on all of them, each optional; npm installs the one that fits.
 *
 *   npm.ts FOLDER platform ARCHITECTURE EXECUTABLE NOTICES
 *   npm.ts FOLDER main
 */
import { chmodSync, copyFileSync, linkSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { PLATFORMS, type Platform, platformOf } from '../platforms.ts';

const { name, version, description, license } = packageJson;
const platformPackage = ({ npm }: Platform) => `@${name}/linux-${npm}`;
const [folder, what, architecture, executable = '', notices = ''] = process.argv.slice(2) as [
  string,
  string,
  ...string[],
];

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const files = ['README.md', 'LICENSE'];
const manifest = { version, description, license };

function write(manifestOfPackage: object): void {
  writeFileSync(`${folder}/package.json`, `${JSON.stringify(manifestOfPackage, null, 2)}\n`);
  for (const file of files) copyFileSync(file, `${folder}/${basename(file)}`);
  // npm packs the modes as it finds them, which a umask may have changed.
  for (const file of readdirSync(folder)) chmodSync(`${folder}/${file}`, file === name ? 0o755 : 0o644);
}

if (what === 'main') {
  copyFileSync('scripts/package/npm-dumb-init', `${folder}/${name}`);
  write({
    name,
    ...manifest,
    bin: { [name]: name },
    os: ['linux'],
    optionalDependencies: Object.fromEntries(PLATFORMS.map((platform) => [platformPackage(platform), version])),
  });
} else {
  const platform = platformOf(architecture);
  files.push(notices);
  linkSync(executable, `${folder}/dumb-init`);
  write({
    name: platformPackage(platform),
    ...manifest,
    os: ['linux'],
    cpu: [platform.npm],
    files: ['dumb-init', 'NOTICES'],
  });
}
