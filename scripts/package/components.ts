/**
 * Whose work is in the executable.
 *
 *   components.ts sbom EXECUTABLE LIBRARIES MODULE…    a CycloneDX bill of materials (JSON)
 *   components.ts built-using LIBRARIES                what debian/control says in Built-Using
 *
 * LIBRARIES is what libraries.ts printed, MODULE the folder of an npm package whose file is in it.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import packageJson from '../../package.json' with { type: 'json' };

const dpkg = (...args: string[]) => execFileSync('dpkg-query', args, { encoding: 'utf8' }).trim().split('\n');

interface DebianPackage {
  name: string;
  version: string;
  architecture: string;
  source: string;
  sourceVersion: string;
}

/** The Debian packages that the libraries came from: unpacked ones (Makefile, DEBIAN), or installed ones. */
function debianPackages(list: string): DebianPackage[] {
  const paths = readFileSync(list, 'utf8').trim().split('\n');
  const folders = new Set(paths.flatMap((path) => /^.*\/debian\/[^/]+(?=\/)/.exec(path) ?? []));
  return folders.size > 0 ? [...folders].sort().map(unpackedPackage) : installedPackages(paths);
}

/** deb-control(5): "Source: NAME (VERSION)", where they differ from the package's own. */
function unpackedPackage(folder: string): DebianPackage {
  const control = readFileSync(`${folder}/DEBIAN/control`, 'utf8');
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(control)?.[1] ?? '';
  const [name, version, architecture] = [field('Package'), field('Version'), field('Architecture')];
  const [, source = name, sourceVersion = version] = /^(\S+)(?: \((.*)\))?$/.exec(field('Source')) ?? [];
  return { name, version, architecture, source, sourceVersion };
}

function installedPackages(paths: readonly string[]): DebianPackage[] {
  // A package may say /lib where the file is found in /usr/lib.
  const patterns = paths.map((path) => realpathSync(path).replace(/^\/usr/, '*'));
  const owners = new Set(dpkg('--search', ...patterns).map((line) => line.replace(/: .*/, '')));
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own
  const format = '--showformat=${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n';
  return dpkg('--show', format, ...owners)
    .map((line) => line.split(' ') as [string, string, string, string, string])
    .map(([name, version, architecture, source, sourceVersion]) => {
      return { name, version, architecture, source, sourceVersion };
    });
}

function builtUsing(list: string): string {
  const sources = debianPackages(list).map(({ source, sourceVersion }) => `${source} (= ${sourceVersion})`);
  return [...new Set(sources)].sort().join(', ');
}

const { Bom, Component, ComponentRepository, HashDictionary, LicenseExpression, LicenseRepository, Metadata } = Models;

const licensed = (expression: string) => new LicenseRepository([new LicenseExpression(expression)]);

function npmComponent(folder: string): Models.Component {
  const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return new Component(Enums.ComponentType.Library, name, {
    version,
    purl,
    bomRef: purl,
    licenses: licensed(license),
    // This script runs on the Node of the same version.
    components: new ComponentRepository(version === process.versions.node ? nodeComponents() : []),
  });
}

/** What Node consists of, as it tells itself: `modules` and `napi` are interfaces, not parts. */
function nodeComponents(): Models.Component[] {
  const { node: _, modules: __, napi: ___, ...parts } = process.versions;
  return Object.entries(parts).map(
    ([name, version = '']) =>
      new Component(Enums.ComponentType.Library, name, { version, bomRef: `node:${name}@${version}` }),
  );
}

function debianComponent({ name, version, architecture }: DebianPackage): Models.Component {
  const license = name.startsWith('libc6') ? 'LGPL-2.1-or-later' : 'GPL-3.0-or-later WITH GCC-exception-3.1';
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`;
  return new Component(Enums.ComponentType.Library, name, {
    version,
    purl,
    bomRef: purl,
    licenses: licensed(license),
  });
}

/**
 * The bill of materials, as JSON. Without a serial number, with names for references and the time of the release, it
 * is always the same.
 */
function sbom(executable: string, list: string, modules: readonly string[]): string {
  const { name, version, license } = packageJson;
  const sha256 = createHash('sha256').update(readFileSync(executable)).digest('hex');
  const bom = new Bom({
    metadata: new Metadata({
      timestamp: new Date(Number(process.env['SOURCE_DATE_EPOCH']) * 1000),
      component: new Component(Enums.ComponentType.Application, name, {
        version,
        bomRef: `${name}@${version}`,
        licenses: licensed(license),
        hashes: new HashDictionary([[Enums.HashAlgorithm['SHA-256'], sha256]]),
      }),
    }),
    components: new ComponentRepository([...modules.map(npmComponent), ...debianPackages(list).map(debianComponent)]),
  });
  const normalizers = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return new Serialize.JsonSerializer(normalizers).serialize(bom, { sortLists: true, space: 2 });
}

const [what, first = '', second = '', ...rest] = process.argv.slice(2);
if (what === 'built-using') console.log(builtUsing(first));
else console.log(sbom(first, second, rest));
