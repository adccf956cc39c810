/** --explain. */
import t from 'tap';
import { sh } from '../helpers/features.ts';
import { OURS, run } from '../helpers/processes.ts';
import { ANOTHER_USERS, type Relation, startOnTerminal } from '../helpers/terminal.ts';

t.test('--explain: the signal table is the effective one, and nothing is run', async (t) => {
  const options = ['--explain', '-r', 'TERM:QUIT,HUP:0', '--delay', 'USR1=2s'];
  const { status, stdout, stderr } = await run(OURS, sh(...options, 'echo run'));
  t.equal(status, 0);
  t.equal(stderr, '');
  t.match(stdout, /^process +PID \d+: orphans go to another process/m);
  t.equal(
    stdout.slice(stdout.indexOf('\n\n') + 2),
    `\
A signal that comes:
SIGHUP (1)                                nothing
SIGKILL (9), SIGSTOP (19)                 not for a process to take
SIGUSR1 (10)                              after 2000 ms it goes to the process group of the command
SIGTERM (15)                              SIGQUIT goes to the process group of the command
SIGCHLD (17)                              the dead are reaped
SIGTSTP (20), SIGTTIN (21), SIGTTOU (22)  SIGSTOP goes to the process group of the command, then dumb-init stops itself
any other                                 it goes to the process group of the command
`,
  );
});

t.test('--explain: the command stands there as a shell reads it, whatever is in its words', async (t) => {
  const words = ['printf', '%s|', 'a b', "it's", '', '$HOME', 'back\\slash', 'two\nlines', '\u001b[31m', 'é'];
  const { stdout } = await run(OURS, ['--explain', ...words]);
  const [, command = ''] = /^command +(.*)$/m.exec(stdout) ?? [];
  t.match(command, /^printf '%s\|' 'a b' 'it'\\''s' '' /);
  const shell = await run('bash', ['-c', Buffer.from(command, 'latin1').toString()]);
  t.equal(Buffer.from(shell.stdout, 'latin1').toString(), `${words.slice(2).join('|')}|`);
});

t.test('--explain and the program agree on the terminal, on that of another user too', async (t) => {
  const led = 'it becomes that of the command, to which it sends SIGINT, SIGQUIT, SIGTSTP, SIGWINCH itself';
  const kept = 'it stays as it is, and is not that of the command';
  const relations: [Relation, options: string[], said: string, has: boolean][] = [
    ['leader', [], led, true],
    ['readonly', [], led, true],
    ['background', [], led, true],
    ['member', [], 'it stays with the session that has it, and is not that of the command', false],
    ['foreign', [], 'it becomes that of the command, if no session has it', false],
    ['free', [], 'it becomes that of the command, if no session has it', true],
    ['leader', ['-c'], 'it stays as it is', true],
    ['leader', ['--no-tty-handoff'], kept, false],
  ];
  const output = async (relation: Relation, words: readonly string[]) => {
    const { stdout } = await startOnTerminal(relation, words).ended;
    return stdout.replaceAll('\r', '');
  };
  for (const [relation, options, said, has] of relations) {
    for (const before of [[], ANOTHER_USERS]) {
      const explained = await output(relation, [...before, OURS, '--explain', ...options, 'true']);
      t.equal(/^terminal +(.*)$/m.exec(explained)?.[1], said, relation);
      // The seventh field of /proc/PID/stat is the number of the controlling terminal (proc_pid_stat(5)).
      const probed = await output(relation, [
        ...before,
        OURS,
        ...options,
        'cut',
        '-d',
        ' ',
        '-f',
        '7',
        '/proc/self/stat',
      ]);
      t.equal(Number(probed) !== 0, has, relation);
    }
  }
  const { stdout } = await run(OURS, ['--explain', 'true']);
  t.match(stdout, /^terminal +standard input is none$/m);
});

t.test('--explain: of a signal that is dropped, what a terminal sends comes to the command all the same', async (t) => {
  const words = ['--explain', '-r', 'WINCH:0,HUP:0', 'true'];
  const shown = (await startOnTerminal('leader', [OURS, ...words]).ended).stdout;
  t.match(shown, /^SIGHUP \(1\) +nothing\r?$/m);
  t.match(shown, /^SIGWINCH \(28\) +nothing; the terminal sends its own to the command\r?$/m);
  t.match((await run(OURS, words)).stdout, /^SIGHUP \(1\), SIGWINCH \(28\) +nothing$/m);
});
