import t from 'tap';
import { OURS, run } from '../helpers/processes.ts';

t.test('the exit status of the command is the exit status', async (t) => {
  for (const code of [0, 1, 7, 127, 255]) {
    t.equal((await run(OURS, ['sh', '-c', `exit ${code}`])).status, code);
  }
});

t.test('a command that is killed gives 128 + the signal', async (t) => {
  t.equal((await run(OURS, ['sh', '-c', 'kill -KILL $$'])).status, 128 + 9);
});
