/** Real containers, by Debian's runc, with a root that holds little more than the executable. */
import { chmodSync, copyFileSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type OciConfig, ociConfig } from '../../scripts/oci.ts';
import { OURS, type Result, type Running, run, start } from './processes.ts';

export interface Container {
  /** The command line; /dumb-init and /busybox are there. */
  args: readonly string[];
  /** uid and gid of PID 1. */
  user?: number;
  env?: readonly string[];
  /** The permissions of /dumb-init, which root owns. */
  executableMode?: number;
  /** Further files of the root: path to content. */
  files?: Record<string, string>;
  /** Lays another root, in place of /dumb-init and /busybox. */
  layRoot?: (root: string) => void;
  /** Changes to the OCI configuration. */
  configure?: (config: OciConfig) => void;
}

export interface RunningContainer extends Running {
  /** `runc kill`: a signal to PID 1, as `docker stop` sends it. */
  kill(signal: string): Promise<Result>;
  /** What the runtime does to end a container in order: a TERM. */
  stop(): Promise<Result>;
}

/** Starts a container: read-only root, no new privileges, no capabilities that matter, network or /tmp. */
export function startContainer(container: Container): RunningContainer {
  const bundle = mkdtempSync(join(process.cwd(), 'build/test/bundle-'));
  const id = `dumb-init-test-${process.pid}-${bundle.slice(-6)}`;
  try {
    layBundle(bundle, container);
  } catch (error) {
    rmSync(bundle, { recursive: true });
    throw error;
  }
  // runc passes on what Go sends itself to preempt its threads, SIGURG: not part of any test.
  const env = { ...process.env, GODEBUG: 'asyncpreemptoff=1' } as Record<string, string>;
  const running = start('runc', ['run', '--bundle', bundle, id], { env });
  const ended = running.ended.finally(async () => {
    await run('runc', ['delete', '--force', id]);
    rmSync(bundle, { recursive: true, force: true });
  });
  ended.catch(() => {});
  const kill = (signal: string) => run('runc', ['kill', id, signal]);
  return { ...running, ended, kill, stop: () => kill('TERM') };
}

/** Runs a container to its end. */
export function runContainer(container: Container): Promise<Result> {
  return startContainer(container).ended;
}

function layBundle(bundle: string, container: Container): void {
  const root = join(bundle, 'rootfs');
  mkdirSync(root);
  (container.layRoot ?? layDefaultRoot)(root);
  if (container.executableMode !== undefined) {
    rmSync(join(root, 'dumb-init')); // not the hard link, whose mode is the original's
    copyFileSync(OURS, join(root, 'dumb-init'));
    chmodSync(join(root, 'dumb-init'), container.executableMode);
  }
  for (const folder of ['proc', 'dev', 'sys']) mkdirSync(join(root, folder), { recursive: true });
  for (const [path, content] of Object.entries(container.files ?? {})) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content, { mode: 0o755, encoding: 'latin1' });
  }
  const config = ociConfig(container);
  container.configure?.(config);
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
}

function layDefaultRoot(root: string): void {
  place(OURS, join(root, 'dumb-init'));
  place('/bin/busybox', join(root, 'busybox'));
}

/** A hard link if the file systems allow one: the executable is large. */
export function place(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
}
