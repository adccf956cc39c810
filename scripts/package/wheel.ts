/**
 * A wheel that puts the executable on PATH (packaging.python.org, "Binary distribution format").
 *
 *   wheel.ts ARCHITECTURE EXECUTABLE NOTICES FOLDER
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { type Zippable, zipSync } from 'fflate';
import packageJson from '../../package.json' with { type: 'json' };
import { platformOf } from '../platforms.ts';

const [architecture, executable, notices, folder] = process.argv.slice(2) as [string, string, string, string];
platformOf(architecture);
const { version, description, license } = packageJson;

// Static, so it goes with any libc; the oldest tags that a pip of the last years looks for.
const platforms = ['manylinux2014', 'manylinux_2_17', 'musllinux_1_1'].map((name) => `${name}_${architecture}`);
const info = `dumb_init-${version}.dist-info`;
const files: Record<string, { content: Buffer; mode: number }> = {};
const add = (path: string, content: string | Buffer, mode = 0o644) => {
  files[path] = { content: Buffer.from(content), mode };
};

add(`dumb_init-${version}.data/scripts/dumb-init`, readFileSync(executable), 0o755);
add(
  `${info}/METADATA`,
  `Metadata-Version: 2.1
Name: dumb-init
Version: ${version}
Summary: ${description}
License: ${license}
License-File: LICENSE
License-File: NOTICES
Classifier: Operating System :: POSIX :: Linux
Description-Content-Type: text/markdown

${readFileSync('README.md', 'utf8')}`,
);
add(
  `${info}/WHEEL`,
  `Wheel-Version: 1.0
Generator: dumb-init
Root-Is-Purelib: false
${platforms.map((platform) => `Tag: py3-none-${platform}\n`).join('')}`,
);
add(`${info}/LICENSE`, readFileSync('LICENSE'));
add(`${info}/NOTICES`, readFileSync(notices));
const record = Object.entries(files).map(
  ([path, { content }]) =>
    `${path},sha256=${createHash('sha256').update(content).digest('base64url')},${content.length}\n`,
);
add(`${info}/RECORD`, `${record.join('')}${info}/RECORD,,\n`);

const mtime = Number(process.env['SOURCE_DATE_EPOCH']) * 1000;
const UNIX = 3;
const REGULAR_FILE = 0o100000;
const zippable: Zippable = {};
for (const [path, { content, mode }] of Object.entries(files)) {
  zippable[path] = [content, { mtime, os: UNIX, attrs: ((REGULAR_FILE | mode) << 16) >>> 0 }];
}
writeFileSync(`${folder}/dumb_init-${version}-py3-none-${platforms.join('.')}.whl`, zipSync(zippable));
