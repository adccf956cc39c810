/**
 * `make run`: a command under build/dumb-init as PID 1 of an empty, read-only root, which holds
 * nothing but the executable and a static busybox. By runc for root, by unshare(1) with a user
 * namespace otherwise.
 *
 *   run.ts [COMMAND]      a line for the shell; without one, a demonstration
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { ociConfig } from './oci.ts';

const DEMONSTRATION = `
zombies() { grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l; }
echo "PID 1 is $(cat /proc/1/comm), this command PID $$."
echo "The root holds: $(ls / | xargs)"
trap 'echo "The command traps SIGTERM and exits with 7."; exit 7' TERM
echo "An orphan is born, and ends:"
(sleep 0.2 & echo $! > /dev/orphan)
while [ -d /proc/$(cat /dev/orphan) ]; do sleep 0.05; done
echo "Zombies left: $(zombies). Now SIGTERM to PID 1:"
kill -TERM 1
while :; do sleep 0.05; done
`;

const command = process.argv[2] || undefined;
const words = ['/dumb-init', ...(command ? [] : ['-v']), '--', '/bin/sh', '-c', command ?? DEMONSTRATION];

const bundle = 'build/run';
const root = `${bundle}/rootfs`;
rmSync(bundle, { recursive: true, force: true });
for (const folder of ['bin', 'dev', 'proc']) mkdirSync(`${root}/${folder}`, { recursive: true });
linkSync('build/dumb-init', `${root}/dumb-init`);
copyFileSync('/bin/busybox', `${root}/bin/busybox`);
for (const applet of ['sh', 'cat', 'env', 'grep', 'id', 'ls', 'ps', 'sleep', 'wc', 'xargs']) {
  linkSync(`${root}/bin/busybox`, `${root}/bin/${applet}`);
}

/** The same without runc: the script of a shell in new namespaces, which ends by becoming PID 1. */
const WITHOUT_RUNC = `
mount --bind ${root} ${root} && mount -o remount,bind,ro ${root} &&
mount -t proc proc ${root}/proc && mount -t tmpfs tmpfs ${root}/dev &&
: > ${root}/dev/null && mount --bind /dev/null ${root}/dev/null &&
cd ${root} && exec /usr/sbin/chroot . /bin/env -i PATH=/usr/bin:/bin HOME=/ "$@"`;

function launch(): number | null {
  if (process.getuid?.() === 0) {
    const terminal = process.stdin.isTTY && process.stdout.isTTY;
    writeFileSync(`${bundle}/config.json`, JSON.stringify(ociConfig({ args: words, terminal })));
    const id = `dumb-init-run-${process.pid}`;
    return spawnSync('runc', ['run', '--bundle', bundle, id], { stdio: 'inherit' }).status;
  }
  const unshare = ['--user', '--map-root-user', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', WITHOUT_RUNC];
  return spawnSync('unshare', [...unshare, 'sh', ...words], { stdio: 'inherit' }).status;
}

const status = launch();
console.log(`Exit status: ${status}`);
rmSync(bundle, { recursive: true, force: true });
if (command) process.exitCode = status ?? 1;
