/** podman with a storage of its own, which is removed at the end; nothing is pulled, no network needed. */
import { existsSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import type { RunningContainer } from './container.ts';
import { baseTar, dockerfile, readImage } from './images.ts';
import { type Result, run, start } from './processes.ts';

/** One for each file of tests. Relative, because podman refuses a runroot of more than 50 characters. */
const FOLDER = `build/test/podman-${basename(process.argv[1] ?? '', '.test.ts')}`;

const OPTIONS = [
  ...['--root', `${FOLDER}/root`, '--runroot', `${FOLDER}/run`, '--tmpdir', `${FOLDER}/tmp`],
  ...['--cgroup-manager', 'cgroupfs', '--runtime', 'runc'],
];

/** Layers of an image may be large, and are copied. */
const LIMIT_MS = 5 * 60_000;

export const podman = (...args: string[]): Promise<Result> =>
  run('podman', [...OPTIONS, ...args], { limitMs: LIMIT_MS });

/** @returns why podman can run no container here, whatever runs in it; false if it can */
export async function unavailable(): Promise<string | false> {
  await removeStorage(); // of a run that was killed
  try {
    await image('busybox');
    const { status, stderr } = await startPodman('busybox', ['true']).ended;
    return status === 0 ? false : `podman runs no container here: ${stderr.trim()}`;
  } catch (error) {
    return `podman makes no image here: ${error}`;
  }
}

/** Ends and removes all containers and images. */
export async function removeStorage(): Promise<void> {
  if (existsSync(FOLDER)) await podman('system', 'reset', '--force');
  rmSync(FOLDER, { recursive: true, force: true });
}

const images = new Map<string, Promise<unknown>>();

/** Builds an image and those that it is built on, or imports it, unless that is done. */
export function image(name: string): Promise<unknown> {
  const known = images.get(name) ?? makeImage(name);
  images.set(name, known);
  return known;
}

async function makeImage(name: string): Promise<unknown> {
  if (!existsSync(dockerfile(name))) return succeed('import', baseTar(name), name);
  const { from } = readImage(name);
  if (from !== 'scratch') await image(from);
  return succeed('build', '--pull=never', '--network=none', '--tag', name, '--file', dockerfile(name), '.');
}

/** @returns what it printed */
export async function succeed(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await podman(...args);
  if (status !== 0) throw new Error(`podman ${args.join(' ')}: status ${status}\n${stdout}${stderr}`);
  return stdout;
}

let containers = 0;

/**
 * Starts a container in the foreground.
 *
 * @param options further options of `podman run`
 */
export function startPodman(
  name: string,
  command: readonly string[],
  options: readonly string[] = [],
): RunningContainer {
  const container = `test-${++containers}`;
  // No limit is to be raised, which not every machine lets us do.
  const ours = ['--name', container, '--rm', '--network', 'none', '--ulimit', 'host'];
  const running = start('podman', [...OPTIONS, 'run', ...ours, ...options, name, ...command]);
  return {
    ...running,
    kill: (signal) => podman('kill', '--signal', signal, container),
    // What does not end by its own is killed, which its exit status tells.
    stop: () => podman('stop', '--time', '30', container),
  };
}
