/** A web server that is what pip, npm, apt and wget ask for packages: what is released, and nothing else. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DIST } from './debian.ts';

export interface Registries {
  url: string;
  stop(): Promise<void>;
}

/** The simple index of pip (packaging.python.org, "Simple repository API"). */
const wheels = () =>
  readdirSync(DIST)
    .filter((name) => name.endsWith('.whl'))
    .map((name) => `<a href="/dist/${name}">${name}</a>`)
    .join('\n');

/** What the npm registry tells of a package (github.com/npm/registry, docs/responses/package-metadata.md). */
function npmPackage(wanted: string, url: string): object | undefined {
  for (const file of readdirSync(DIST).filter((name) => name.endsWith('.tgz'))) {
    const manifest = JSON.parse(
      execFileSync('tar', ['-xzOf', `${DIST}/${file}`, 'package/package.json'], { encoding: 'utf8' }),
    );
    const { name, version } = manifest;
    if (name !== wanted) continue;
    const integrity = `sha512-${createHash('sha512')
      .update(readFileSync(`${DIST}/${file}`))
      .digest('base64')}`;
    const dist = { tarball: `${url}/dist/${file}`, integrity };
    return { name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } };
  }
  return undefined;
}

/**
 * Under /dist the files of a release, under /apt a repository, /pip and /npm.
 *
 * @param apt the folder that `make apt-repo` has written
 */
export async function startRegistries(apt: string): Promise<Registries> {
  const folders: Record<string, string> = { dist: DIST, apt };
  let url = '';
  const answer = (path: string): string | Buffer | undefined => {
    const [, first = '', rest = ''] = /^\/(\w+)\/(.*)$/.exec(decodeURIComponent(path)) ?? [];
    if (first === 'pip') return rest === 'dumb-init/' ? wheels() : undefined;
    if (first === 'npm') {
      const found = npmPackage(rest, url);
      return found && JSON.stringify(found);
    }
    const folder = folders[first];
    try {
      return folder === undefined ? undefined : readFileSync(`${folder}/${rest}`);
    } catch {
      return undefined; // apt asks for forms of its lists that need not be there
    }
  };
  const server = createServer((request, response) => {
    const content = answer(request.url ?? '');
    if (content === undefined) response.statusCode = 404;
    else if (request.url?.endsWith('/')) response.setHeader('Content-Type', 'text/html');
    response.end(content);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
