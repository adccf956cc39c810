/** Systems that lack what most have: what dumb-init does not need it does without. */
import { mkdtempSync, rmSync } from 'node:fs';
import t, { type Test } from 'tap';
import { place, runContainer } from '../helpers/container.ts';
import { fixture, OURS, type Result, run } from '../helpers/processes.ts';

/** Runs ours in a root that holds dumb-init and these programs, and nothing else: no /proc, /dev or /tmp. */
function inBareRoot(t: Test, programs: Record<string, string>, args: readonly string[]): Promise<Result> {
  const root = mkdtempSync('build/test/root-');
  t.teardown(() => rmSync(root, { recursive: true }));
  place(OURS, `${root}/dumb-init`);
  for (const [name, path] of Object.entries(programs)) place(path, `${root}/${name}`);
  return run('chroot', [root, '/dumb-init', ...args]);
}

t.test('without /proc and all else it works', async (t) => {
  const help = await inBareRoot(t, {}, ['--version']);
  t.match(help, { status: 0, stdout: '', stderr: /^dumb-init v\d/ });
  const words = ['-v', '--', '/busybox', 'sh', '-c', 'exit 7'];
  const { status, stderr } = await inBareRoot(t, { busybox: '/bin/busybox' }, words);
  t.equal(status, 7);
  t.match(stderr, /Child exited with status 7\. Goodbye\.\n$/);
});

t.test('without /proc, an orphan of --warn-zombies has a PID and no name', async (t) => {
  const options = ['--subreaper', '--warn-zombies', '--wait-all'];
  const words = [...options, '/busybox', 'sh', '-c', '(/busybox true &)'];
  const { status, stderr } = await inBareRoot(t, { busybox: '/bin/busybox' }, words);
  t.equal(status, 0, stderr);
  // Its status is not asked for: busybox, which has no /dev/null here, may not get far.
  t.match(stderr, /^\[dumb-init\] Reaped orphan \d+: it (exited with status|was terminated by signal) [^\n]*\.$/m);
});

t.test('where no process can be made: the line and the status of 1.2.5', async (t) => {
  const result = await runContainer({
    args: ['/dumb-init', '/busybox', 'true'],
    // Root has no such limit, and it counts all of a user's processes: one of whom there are no others.
    user: 61_000 + (process.pid % 1000),
    configure: (config) => {
      config.process['rlimits'] = [{ type: 'RLIMIT_NPROC', soft: 1, hard: 1 }];
    },
  });
  t.strictSame(result, { status: 1, stdout: '', stderr: '[dumb-init] Unable to fork. Exiting.\n' });
});

t.test('--kill-after reaches the process group without /proc', async (t) => {
  const programs = { busybox: '/bin/busybox', signals: fixture('signals') };
  const script = 'trap "" TERM; kill -TERM $PPID; while :; do /busybox sleep 0.01; done';
  const { status } = await inBareRoot(t, programs, ['--kill-after=50ms', '/busybox', 'sh', '-c', script]);
  t.equal(status, 128 + 9);
});
