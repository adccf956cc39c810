import { readFileSync } from 'node:fs';
import t from 'tap';
import { ADDED, ORIGINAL, optionTable } from '../../scripts/package/documents.ts';
import { run } from '../helpers/processes.ts';

const DOC = 'build/doc';

t.test('the README lists the options that the program has, as the man page does', async (t) => {
  const readme = readFileSync('README.md', 'utf8');
  for (const options of [ORIGINAL, ADDED]) t.ok(readme.includes(optionTable(options)), 'README.md holds this table');
});

t.test('the man page has no error, and tells every option', async (t) => {
  const { stdout, stderr } = await run('man', ['--warnings', '-E', 'UTF-8', '-l', `${DOC}/dumb-init.1`], {
    env: { PATH: '/usr/bin:/bin', MANWIDTH: '80', LC_ALL: 'C.UTF-8' },
  });
  t.equal(stderr, '');
  for (const option of [
    '-c, --single-child',
    '-r, --rewrite s:r',
    '-v, --verbose',
    '-h, --help',
    '-V, --version',
    '--wait-all',
    '--kill-after [signal=]time',
  ]) {
    t.ok(stdout.includes(option), option);
  }
});

/** What bash offers for the last word. */
const bash = async (...words: string[]) => {
  const script = `
    . /usr/share/bash-completion/bash_completion
    . ${DOC}/dumb-init.bash
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}
    _dumb_init
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  return (await run('bash', ['-c', script, 'bash', ...words])).stdout.split('\n');
};
/** What fish offers for the last word of a line. */
const fish = async (line: string) => {
  const { stdout } = await run('fish', ['--no-config', '-c', `source ${DOC}/dumb-init.fish; complete -C '${line}'`]);
  return stdout.split('\n').map((offer) => offer.replace(/\t.*/, ''));
};

t.test('bash completes options, then a command, then what that command takes', async (t) => {
  t.strictSame(await bash('dumb-init', '--s'), ['--single-child', '--subreaper', '--signal-names', '']);
  t.ok((await bash('dumb-init', '-c', '-r', '15', ':', '3', '--', 'una')).includes('uname'));
  t.ok((await bash('dumb-init', 'ls', '/et')).includes('/etc'));
});

t.test('fish completes options, then a command, then what that command takes', async (t) => {
  t.ok((await fish('dumb-init --s')).includes('--single-child'));
  t.ok((await fish('dumb-init una')).includes('uname'));
  t.ok((await fish('dumb-init ls /et')).includes('/etc/'));
});

t.test('zsh completes options and a command', async (t) => {
  // Completion needs a terminal, which zpty gives to a second zsh.
  const script = `
    zmodload zsh/zpty
    zpty z 'TERM=dumb exec zsh -f -i'
    zpty -w z 'PS1=; fpath=(${process.cwd()}/${DOC} $fpath); autoload -U compinit; compinit -D; setopt no_list_beep; print READY-$((1 + 1))'
    zpty -r -m z line '*READY-2*'
    zpty -w -n z $'dumb-init --sin\\t\\C-ahead=\\'\\C-e\\'; print GOT-$head\\n'
    zpty -r -m z line '*GOT-*--single-child*' && print -r -- "$line"`;
  t.match((await run('zsh', ['-f', '-c', script])).stdout, 'dumb-init --single-child');
});
