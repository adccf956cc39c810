/** Faults of single system calls, made by strace: the work goes on, or ends with the contract's status. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import t from 'tap';
import { debugLines } from '../helpers/parity.ts';
import { fixture, ORACLE, OURS, start } from '../helpers/processes.ts';
import { traced } from '../helpers/torture.ts';

/** Runs a command with a fault (strace(1), --inject) in its process, or with `-f` in each that comes of it. */
const faulty = (inject: string, ...words: string[]) =>
  start('strace', ['-o', '/dev/null', `--trace=${inject.split(':')[0]}`, `--inject=${inject}`, ...words], {
    env: { PATH: '/nowhere:/usr/bin:/bin' },
  });

for (const error of ['EAGAIN', 'ENOMEM']) {
  t.test(`a fork that fails with ${error}: the line and the status of 1.2.5`, async (t) => {
    const { log } = await traced(['--trace=clone,clone3,fork,vfork'], [OURS, 'true']);
    t.strictSame(log.match(/^\w+(?=\()/gm), ['clone'], 'what is made to fail is what is called');
    const { status, stdout, stderr } = await faulty(`clone:error=${error}`, OURS, 'true').ended;
    t.strictSame(
      { status, stdout, stderr },
      { status: 1, stdout: '', stderr: '[dumb-init] Unable to fork. Exiting.\n' },
    );
  });
}

for (const inject of [
  'waitid:error=EINTR:when=1',
  'wait4:error=EINTR:when=1',
  'kill:error=EPERM',
  'kill:error=ESRCH',
  'rt_sigtimedwait:error=EINTR:when=1..3',
  'rt_sigtimedwait:error=EAGAIN:when=1',
  'chdir:error=EACCES',
  'ioctl:error=EIO',
  'ppoll:error=EINVAL',
  'mmap:error=ENOMEM:when=1..2',
  'rt_sigaction:error=EINVAL:when=1..33',
  'madvise:error=EINVAL',
  'brk:error=ENOMEM:when=1',
]) {
  t.test(`${inject}: the command's status comes through`, async (t) => {
    const { status, stderr } = await faulty(inject, OURS, 'sh', '-c', 'exit 7').ended;
    t.strictSame({ status, stderr }, { status: 7, stderr: '' });
  });
}

for (const error of ['EPIPE', 'EAGAIN', 'ENOSPC', 'EIO', 'EFBIG']) {
  t.test(`debug lines that fail with ${error} are dropped, and the signals go on`, async (t) => {
    // From its first line on every write of dumb-init's fails; the command is not traced.
    const log = ['-o', '/dev/null', '--trace=write', '--trace-path=/dev/null', `--inject=write:error=${error}`];
    const script = `exec strace ${log.join(' ')} ${OURS} -v ${fixture('signals')} 2 2>/dev/null`;
    const running = start('sh', ['-c', script]);
    await running.prints('ready');
    const { pid } = running;
    const init = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1'));
    process.kill(init, 'SIGUSR1');
    await running.prints('10\n');
    process.kill(init, 'SIGTERM');
    const { status, stdout } = await running.ended;
    t.strictSame({ status, stdout }, { status: 0, stdout: 'ready\n10\n15\n' });
  });
}

t.test('debug lines on a broken pipe, or beyond the limit of a file, bring no signal to the command', async (t) => {
  const pipe = start('bash', ['-c', `exec 2> >(:); wait $!; exec ${OURS} -v ${fixture('signals')} 2`]);
  await pipe.prints('ready');
  pipe.signal('SIGUSR1');
  await pipe.prints('10\n');
  pipe.signal('SIGTERM');
  t.strictSame(await pipe.ended, { status: 0, stdout: 'ready\n10\n15\n', stderr: '' });

  const folder = mkdtempSync('build/test/limit-');
  t.teardown(() => rmSync(folder, { recursive: true }));
  const script = `ulimit -Sf 0; exec ${OURS} -v ${fixture('signals')} 2 2>${folder}/stderr`;
  const file = start('bash', ['-c', script]);
  await file.prints('ready');
  file.signal('SIGUSR1');
  await file.prints('10\n');
  file.signal('SIGTERM');
  t.strictSame(await file.ended, { status: 0, stdout: 'ready\n10\n15\n', stderr: '' });
});

for (const inject of [
  'setsid:error=EPERM',
  'ioctl:error=EIO',
  'ioctl:error=EPERM',
  ...[127, 128, 133, 4095].map((errno) => `ioctl:error=${errno}`), // as a seccomp filter may answer
  'rt_sigprocmask:error=EINVAL:when=2+',
  // The second execve of a process is the child's for the second folder of PATH.
  ...['ENOMEM', 'EIO', 'E2BIG', 'EACCES', 'ELOOP', 'ETIMEDOUT', '128'].map(
    (error) => `execve:error=${error}:when=2..3`,
  ),
]) {
  t.test(`${inject} in the command's process: the lines and the status of 1.2.5`, async (t) => {
    for (const options of [['-v'], ['-vc']]) {
      const [ours, theirs] = await Promise.all(
        [OURS, ORACLE].map(async (init) => {
          const { status, stderr } = await faulty(inject, '-f', init, ...options, 'sh', '-c', 'exit 7').ended;
          return { status, ...debugLines(stderr) };
        }),
      );
      t.strictSame(ours, theirs, options.join());
    }
  });
}
