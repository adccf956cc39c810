/** The Dockerfiles of test/container/images: what they say, and their roots for a runtime that builds none. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { place } from './container.ts';
import { LIMIT_MS } from './processes.ts';

export interface Image {
  /** What it is built on: another of the Dockerfiles, a root that `make` has packed, or `scratch`. */
  from: string;
  /** COPY: a path in the repository, and one in the image. */
  copies: [source: string, target: string][];
  entrypoint: string[];
  cmd: string[];
}

export const dockerfile = (name: string) => `test/container/images/${name}.Dockerfile`;

/** The root that an image such as `busybox` or `debian` is imported from. */
export const baseTar = (name: string) => `build/test/${name}.tar`;

/** Reads FROM, COPY, ENTRYPOINT and CMD; there is no other instruction in these files. */
export function readImage(name: string): Image {
  const image: Image = { from: 'scratch', copies: [], entrypoint: [], cmd: [] };
  for (const line of readFileSync(dockerfile(name), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [instruction = '', rest = ''] = line.split(/ (.*)/);
    switch (instruction) {
      case 'FROM':
        image.from = rest;
        if (existsSync(dockerfile(rest))) ({ entrypoint: image.entrypoint, cmd: image.cmd } = readImage(rest));
        break;
      case 'COPY': {
        const [source = '', target = ''] = rest.split(' ');
        image.copies.push([source, target]);
        break;
      }
      case 'ENTRYPOINT':
        image.entrypoint = JSON.parse(rest);
        image.cmd = []; // the parent's was meant for the parent's entrypoint
        break;
      case 'CMD':
        image.cmd = JSON.parse(rest);
        break;
      default:
        throw new Error(`${dockerfile(name)}: ${instruction} is not understood here`);
    }
  }
  return image;
}

/** Lays the files of an image into a folder. */
export function layRoot(name: string, root: string): void {
  if (name === 'scratch') return;
  if (!existsSync(dockerfile(name))) {
    execFileSync('tar', ['-C', root, '-xf', baseTar(name)], { timeout: LIMIT_MS, killSignal: 'SIGKILL' });
    return;
  }
  const { from, copies } = readImage(name);
  layRoot(from, root);
  for (const [source, target] of copies) place(source, join(root, target));
}
