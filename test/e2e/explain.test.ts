/** --explain. */
import t from 'tap';
import { sh } from '../helpers/features.ts';
import { OURS, run } from '../helpers/processes.ts';

t.test('--explain: the signal table is the effective one, and nothing is run', async (t) => {
  const options = ['--explain', '-r', 'TERM:QUIT,HUP:0', '--delay', 'USR1=2s'];
  const { status, stdout, stderr } = await run(OURS, sh(...options, 'echo run'));
  t.equal(status, 0);
  t.equal(stderr, '');
  t.match(stdout, /^process +PID \d+: orphans go to another process/m);
  t.match(stdout, /^ +15 SIGTERM +SIGQUIT goes to the process group of the command$/m);
  t.match(stdout, /^ +1 SIGHUP +nothing$/m);
  t.match(stdout, /^ +10 SIGUSR1 +after 2000 ms it goes to the process group of the command$/m);
  t.match(stdout, /^ +20 SIGTSTP +SIGSTOP goes to the process group of the command, then dumb-init stops itself$/m);
});
