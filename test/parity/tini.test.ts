/** Called as tini: held against Debian's tini 0.19.0. SEED=n and LINES=n as for dumb-init 1.2.5. */
import t from 'tap';
import { tini } from '../../src/personalities/tini.ts';
import { argv0, type CommandLine, type Grammar, oneOf, variable, word, words } from '../helpers/command-lines.ts';
import { childrenOf, fixture, OURS, processState, run, waitUntil } from '../helpers/processes.ts';
import { ENDS, holdAgainst, linesAbout, standIn } from '../helpers/stand-in.ts';

const ORACLE = '/usr/bin/tini';

/**
 * At the highest level tini tells once a second, and after each signal, that nobody is to be reaped.
 * What its child says of a terminal that is none stays in a buffer, and is gone with the exec.
 */
const DULL = /No child to reap|tcsetpgrp failed: no tty/;

const option = (letter: string, ...values: string[]) =>
  words(...values.flatMap((value) => [[`-${letter}`, value], [`-${letter}${value}`]]));

const around: Grammar = {
  flags: word('-s', '-w', '-g', '-v', '-vv', '-sg', '-wvg', '-vvvs'),
  'a status': option('e', '0', '1', '3', '130', '137', '143', '255'),
  'a signal': option('p', 'SIGKILL', 'SIGTERM'),
  'an end': variable('END', ...ENDS),
  subreaper: variable('TINI_SUBREAPER', '', '0', '1'),
};

const about: Grammar = {
  ...around,
  'a status and the end with it': oneOf(...ENDS).map((status) => ({ words: ['-e', status], env: { END: status } })),
  'a bad status': option('e', '', '256', '-1', ' 7', '+7', '7x', '0x1', '9'.repeat(30), '-0', '1 ', '007'),
  'a bad signal': option('p', 'TERM', 'SIGFOO', 'SIGIO', 'sigterm', '15', 'SIGRTMIN', 'SIGPWR'),
  'an unknown option': word('-z', '-V', '--', '--foo', '--help', '-R', '-W', '-gz', '-é', '-:', '-?'),
  version: word('--version', '--vers', '--version=1'),
  help: word('-h', '-gh', '-hz', '-l', '-sl'),
  'bundles with an argument': word('-ge3', '-vpSIGTERM', '-e3g', '-sp'),
  'options behind operands': words(...['-g', '-vv', '-e3', '--', '-h', '-z', '-'].map((after) => ['run', after])),
  'no permutation': variable('POSIXLY_CORRECT', '', '1'),
  'an operand first': word('run', '-', ''),
  verbosity: variable('TINI_VERBOSITY', '', '0', '1', '2', '3', '4', '-1', 'x', ' 2', '3x', '4294967298', '+3'),
  'process group': variable('TINI_KILL_PROCESS_GROUP', '', '0', '1'),
  'another argv[0]': argv0('docker-init', './tini', '/sbin/docker-init', 'a/b/tini'),
};

const given = [[], ['--version'], ['-h'], ['-l'], ['--'], ['-e'], ['-p'], ['run', '--version']].map((words) => ({
  argv0: 'tini',
  words,
  env: {},
}));
const it = standIn(t, ORACLE, DULL);

t.test('as tini: random command lines', async (t) => {
  await holdAgainst(t, it, tini, { kinds: linesAbout('tini', about, around), given, dull: DULL });
});

const signalsOf = (...options: string[]): CommandLine => ({
  argv0: 'tini',
  words: [...options, '--', fixture('signals'), '3'],
  env: {},
});

for (const [what, options] of [
  ['to the command', ['-vvv']],
  ['to its process group', ['-g', '-s']],
] as const) {
  t.test(`as tini: signals go ${what}, but for those of the terminal`, async (t) => {
    const ends = await Promise.all(
      it.startBoth(signalsOf(...options)).map(async (init) => {
        await init.prints('ready');
        for (const n of [21, 22, 1]) init.signal(n); // TTIN and TTOU are ignored
        await init.prints('\n1\n');
        init.signal(20);
        await init.prints('\n20\n');
        init.signal(40);
        return init.ended;
      }),
    );
    const [ours, theirs] = ends.map(({ status, stdout, stderr }) => ({
      status,
      passed: `${stdout}${stderr}`.match(/Passing signal: '.*'/g),
      command: stdout.split('\n').filter((line) => /^(ready|\d+)$/.test(line)),
    }));
    t.strictSame(ours, theirs);
    t.strictSame(ours?.command, ['ready', '1', '20', '40']);
  });
}

t.test('as tini: a signal of a fault ends it', async (t) => {
  const ends = await Promise.all(
    it.startBoth(signalsOf()).map(async (init) => {
      await init.prints('ready');
      const [child = 0] = childrenOf(init.pid);
      init.signal('SIGSEGV');
      await waitUntil(() => /^Z?$/.test(processState(init.pid)), 'it to die');
      process.kill(child, 'SIGKILL'); // which still has the pipes
      return (await init.ended).status;
    }),
  );
  t.strictSame(ends, [128 + 11, 128 + 11]);
});

t.test(
  'as tini: the command inherits which signals are ignored and blocked, and tini stays in its folder',
  async (t) => {
    const settings = ['ignore=1', 'ignore=13', 'ignore=22', 'block=10', 'block=15', 'block=35', 'ignore=36'];
    const [ours, theirs] = await Promise.all(it.inherited(settings));
    t.equal(ours, theirs);
    t.match(ours, /SigBlk:\t0000000400004200\nSigIgn:\t0000000800201001\n/);
  },
);

t.test('as /dev/init, where older engines mount their init, it is tini', async (t) => {
  const { status, stdout } = await run(OURS, ['--version'], { argv0: '/dev/init' });
  t.strictSame({ status, stdout }, { status: 0, stdout: 'tini version 0.19.0\n' });
});
