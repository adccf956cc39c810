import t from 'tap';
import { image, removeStorage, startPodman, unavailable } from '../helpers/podman.ts';
import { fixture, OURS } from '../helpers/processes.ts';
import { testSituations } from './situations.ts';

const skip = await unavailable();
t.teardown(removeStorage);

async function launch(name: string, command: readonly string[] = [], options: readonly string[] = []) {
  await image(name);
  return startPodman(name, command, options);
}

testSituations(t, launch, skip);

t.test('run --init puts it before the command of an image without an init', { skip }, async (t) => {
  const container = await launch(
    'busybox',
    ['/orphans', '50'],
    ['--init', '--init-path', OURS, '--volume', `${fixture('orphans')}:/orphans:ro`],
  );
  const { status, stdout, stderr } = await container.ended;
  t.equal(stdout, 'reaped\n');
  t.equal(status, 0, stderr);
});

t.test('run --init makes a command stoppable that handles no signal', { skip }, async (t) => {
  const container = await launch(
    'busybox',
    ['sh', '-c', 'echo ready; exec sleep 1000'],
    ['--init', '--init-path', OURS],
  );
  await container.prints('ready');
  await container.stop();
  t.equal((await container.ended).status, 128 + 15);
});

t.test('run --tty: the terminal is the controlling terminal of the command', { skip }, async (t) => {
  const container = await launch('base', ['sh', '-c', 'echo this is it > /dev/tty; exit 7'], ['--tty']);
  const { status, stdout } = await container.ended;
  t.equal(stdout, 'this is it\r\n');
  t.equal(status, 7);
});

t.test('as an unprivileged user, all capabilities dropped, with a read-only root', { skip }, async (t) => {
  const container = await launch(
    'base',
    ['sh', '-c', 'echo ready; exec sleep 1000'],
    ['--user', '65534', '--cap-drop', 'all', '--security-opt', 'no-new-privileges', '--read-only'],
  );
  await container.prints('ready');
  await container.stop();
  t.equal((await container.ended).status, 128 + 15);
});
