/** --explain. */
import t from 'tap';
import { sh } from '../helpers/features.ts';
import { OURS, run } from '../helpers/processes.ts';

t.test('--explain: the signal table is the effective one, and nothing is run', async (t) => {
  const options = ['--explain', '-r', 'TERM:QUIT,HUP:0', '--delay', 'USR1=2s'];
  const { status, stdout, stderr } = await run(OURS, sh(...options, 'echo run'));
  t.equal(status, 0);
  t.equal(stdout, '');
  t.match(stderr, /^process +PID \d+: orphans go to another process/m);
  t.match(stderr, /^ +15 SIGTERM +SIGQUIT goes to the process group of the command$/m);
  t.match(stderr, /^ +1 SIGHUP +nothing$/m);
  t.match(stderr, /^ +10 SIGUSR1 +after 2000 ms it goes to the process group of the command$/m);
  t.match(stderr, /^ +20 SIGTSTP +SIGSTOP goes to the process group of the command, then dumb-init stops itself$/m);
});
