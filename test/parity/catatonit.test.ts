/** Called as catatonit: held against Debian's catatonit 0.1.7. SEED=n and LINES=n as for 1.2.5. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import { catatonit } from '../../src/personalities/catatonit.ts';
import { argv0, type CommandLine, type Grammar, variable, word, words } from '../helpers/command-lines.ts';
import {
  fixture,
  isSettled,
  OURS,
  processState,
  processStatus,
  type Running,
  run,
  waitUntil,
} from '../helpers/processes.ts';
import { ENDS, holdAgainst, linesAbout, standIn } from '../helpers/stand-in.ts';

const ORACLE = '/usr/bin/catatonit';

/** Nothing that either says is left out. */
const DULL = /(?!)/;

const around: Grammar = {
  flags: word('-g', '-gg'),
  'an end': variable('END', ...ENDS),
  debug: variable('CATATONIT_DEBUG', '', '1'),
};

const about: Grammar = {
  ...around,
  'an unknown option': word('-z', '-v', '--', '--foo', '--help', '--versionx', '-W', '-gz', '-é', '-:', '-?', '---'),
  version: word('--version', '--vers', '--v', '--', '-V', '-gV'),
  'version with an argument': word('--version=1', '--v='),
  'help and licence': word('-h', '-gh', '-hz', '-L', '-gL'),
  'pause and an end of the parsing': words(...['-h', '-V', '-z', '--foo', '-L'].map((after) => ['-P', after])),
  'options behind operands': words(...['-g', '--', '-h', '-z', '-', '--ver'].map((after) => ['run', after])),
  'no permutation': variable('POSIXLY_CORRECT', '', '1'),
  'an operand first': word('run', '-', ''),
  'a reserved variable': variable('CATATONIT_LOG', '', '1'),
  'another argv[0]': argv0('./catatonit', '/run/podman-init', 'a/b/catatonit'),
};

const given = [[], ['--version'], ['-h'], ['-L'], ['--'], ['-g'], ['run', '--version']].map((words) => ({
  argv0: 'catatonit',
  words,
  env: {},
}));
const it = standIn(t, ORACLE, DULL);

t.test('as catatonit: random command lines', async (t) => {
  await holdAgainst(t, it, catatonit, { kinds: linesAbout('catatonit', about, around), given, dull: DULL });
});

const line = (...words: string[]): CommandLine => ({ argv0: 'catatonit', words, env: {} });

for (const [what, options] of [
  ['to the command', []],
  ['to its process group', ['-g']],
] as const) {
  t.test(`as catatonit: signals go ${what}, but for those of the terminal`, async (t) => {
    const ends = await Promise.all(
      it.startBoth(line(...options, '--', fixture('signals'), '3')).map(async (init) => {
        await init.prints('ready');
        for (const n of [20, 21, 22, 1]) init.signal(n);
        await init.prints('\n1\n');
        init.signal(15);
        await init.prints('\n15\n');
        init.signal(40);
        return init.ended;
      }),
    );
    const expected = { status: 0, stdout: 'ready\n1\n15\n40\n', stderr: '' };
    t.strictSame(ends, [expected, expected]);
  });
}

t.test('as catatonit: it pauses until INT or TERM, and ends with status 0', async (t) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const [ours, theirs] = it.startBoth(line('-P')) as [Running, Running];
    await waitUntil(() => /[^0]/.test(processStatus(theirs.pid, 'SigBlk')), 'signals to be blocked by theirs');
    await waitUntil(() => isSettled(ours.pid), 'the wait for signals by ours');
    for (const init of [ours, theirs]) {
      init.signal('SIGHUP');
      init.signal(signal);
      t.strictSame(await init.ended, { status: 0, stdout: '', stderr: '' });
    }
  }
});

t.test('as catatonit: the command inherits ignored and blocked signals, job control ones are blocked', async (t) => {
  const settings = ['ignore=1', 'ignore=13', 'ignore=22', 'block=10', 'block=35', 'ignore=36'];
  const [ours, theirs] = await Promise.all(it.inherited(settings));
  t.equal(ours, theirs);
  t.match(ours, /SigBlk:\t0000000400380200\nSigIgn:\t0000000800201001\n/);
});

t.test('as catatonit: it closes the files that it inherits, and stays in its folder', async (t) => {
  for (const options of [['-P'], ['--', fixture('signals'), '1']]) {
    const [ours, theirs] = await Promise.all(
      it.startBoth(line(...options), ['open=7:0:0:/etc/passwd']).map(async (init) => {
        await waitUntil(
          () => processState(init.pid) === 'S' && !readdirSync(`/proc/${init.pid}/fd`).includes('7'),
          'the file to be closed',
        );
        const cwd = readlinkSync(`/proc/${init.pid}/cwd`);
        init.signal('SIGTERM');
        await init.ended;
        return cwd;
      }),
    );
    t.equal(ours, theirs);
  }
});

t.test(
  'as catatonit: LISTEN_PID becomes the PID of the command if it was its own, and stays what it is otherwise',
  async (t) => {
    const folder = mkdtempSync(resolve('build/test/catatonit-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    symlinkSync(OURS, join(folder, 'catatonit'));
    for (const init of [join(folder, 'catatonit'), ORACLE]) {
      const found = async (value: string) => {
        const command = `exec env LISTEN_PID="${value}" LAST=1 ${init} -- sh -c 'echo "$LISTEN_PID $$ $LAST"'`;
        const { stdout } = await run('sh', ['-c', command]);
        return stdout.replace('\n', '').split(' ') as [string, string, string];
      };
      const [listen, pid, last] = await found('$$');
      t.equal(listen, pid, init);
      t.equal(last, '1', init);
      for (const other of ['1', '', 'x', '-1']) t.equal((await found(other))[0], other, `${init}: ${other}`);
    }
  },
);
