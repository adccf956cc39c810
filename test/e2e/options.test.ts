/** Options and variables: which win, and which are mistakes. */
import t from 'tap';
import { sh } from '../helpers/features.ts';
import { fixture, OURS, run } from '../helpers/processes.ts';

t.test('variables do what options do, and options have the last word', async (t) => {
  const env = {
    PATH: '/usr/bin:/bin',
    DUMB_INIT_MAP_EXIT: '3:4,5:6',
    DUMB_INIT_EXEC_STATUS: '1',
    DUMB_INIT_LOG_EXIT: '0',
  };
  t.strictSame(await run(OURS, sh('exit 3'), { env }), { status: 4, stdout: '', stderr: '' });
  t.equal((await run(OURS, sh('--map-exit=3:5', 'exit 3'), { env })).status, 5);
  t.equal((await run(OURS, sh('--map-exit=3:5', 'exit 5'), { env })).status, 6);
  t.equal((await run(OURS, ['no-such-command'], { env })).status, 127);
});

const TIME = 'a time such as 500ms, 10s or 2m, or signals and a time such as QUIT=10s or TERM,QUIT=10s';
const STATUSES = 'pairs of statuses from 0 to 255 such as 143:0 or 143:0,130:0';
const mistakes: [words: string[], env: Record<string, string>, text: string][] = [
  [['--kill-after', '10'], {}, `option '--kill-after' takes ${TIME}, not '10'`],
  [['--kill-after=1h'], {}, `option '--kill-after' takes ${TIME}, not '1h'`],
  [
    ['--delay', 'TERM'],
    {},
    "option '--delay' takes signals and times such as TERM=5s or TERM=5s,INT=500ms, not 'TERM'",
  ],
  [['--map-exit', '143:256'], {}, `option '--map-exit' takes ${STATUSES}, not '143:256'`],
  [
    ['--parent-death-signal=FOO'],
    {},
    "option '--parent-death-signal' takes a signal such as 15, TERM or RTMIN+3, not 'FOO'",
  ],
  [['--log-format', 'xml'], {}, "option '--log-format' takes text or json, not 'xml'"],
  [[], { DUMB_INIT_KILL_AFTER: 'x' }, `DUMB_INIT_KILL_AFTER takes ${TIME}, not 'x'`],
  [[], { DUMB_INIT_WAIT_ALL: 'yes' }, "DUMB_INIT_WAIT_ALL takes 1 or 0, not 'yes'"],
  [['--pause'], {}, 'with --pause there is no command'],
  [['--wait-al'], {}, "unrecognized option '--wait-al'"],
  [['--kill-after'], {}, `option '--kill-after' takes ${TIME}, not 'true'`],
  [['--pause=1'], {}, "option '--pause' doesn't allow an argument"],
];

for (const [words, env, text] of mistakes) {
  t.test(
    `a mistake is one line that shows what is right, status 1: ${[...words, JSON.stringify(env)].join(' ')}`,
    async (t) => {
      const result = await run(OURS, [...words, 'true'], {
        argv0: 'dumb-init',
        env: { PATH: '/usr/bin:/bin', ...env },
      });
      t.strictSame(result, { status: 1, stdout: '', stderr: `dumb-init: ${text}\n` });
    },
  );
}

t.test('--help is that of 1.2.5; --help-all has every option and variable', async (t) => {
  t.notMatch((await run(OURS, ['--help'])).stderr, '--wait-all');
  const { status, stdout, stderr } = await run(OURS, ['--help-all']);
  t.equal(stderr, '');
  t.equal(status, 0);
  for (const word of ['--single-child', '--wait-all', 'DUMB_INIT_KILL_AFTER', '--explain']) t.match(stdout, word);
});

t.test('an environment entry without a name is passed on, and is no variable of ours', async (t) => {
  const words = ['env==C:=C:\\dir', 'env==1', 'env=PATH=/bin', '--', OURS, 'env'];
  const { status, stdout, stderr } = await run(fixture('situation'), words);
  t.strictSame({ status, stdout, stderr }, { status: 0, stdout: '=C:=C:\\dir\n=1\nPATH=/bin\n', stderr: '' });
});
