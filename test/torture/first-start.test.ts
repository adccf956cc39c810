/**
 * A start after the rehearsal is a first start: what was rehearsed is not compiled again, and nothing of what the
 * rehearsal has met shows.
 */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import { concurrently } from '../helpers/concurrently.ts';
import { AS_PID_1, fixture, OURS, start } from '../helpers/processes.ts';
import { tracedInit } from '../helpers/torture.ts';

const folder = mkdtempSync(resolve('build/test/first-start-'));
t.teardown(() => rmSync(folder, { recursive: true }));

/** The executable under the name of an init. */
function named(name: string): string {
  symlinkSync(OURS, join(folder, name));
  return join(folder, name);
}
const INITS = { 'dumb-init': named('dumb-init'), tini: named('tini'), catatonit: named('catatonit') } as const;

interface Life {
  init?: keyof typeof INITS;
  /** Options, behind the name of the init. */
  options: string;
  /** A shell script as the command, or another command line, or none. */
  command?: string | readonly string[];
  env?: Record<string, string>;
  /** What starts it. */
  by?: readonly string[];
  /** How many timers it starts. */
  timers?: number;
}

/** A few signals for the parent, which come back to the shell; an orphan; an end. */
const LIFE = 'trap "" 1 2 3 10 12 15 28 34; for n in 1 2 3 10 12 15 28 34; do kill -$n $PPID; done; (true &); exit 7';
const ON_TERMINAL = (relation: string) => [fixture('pty'), relation];

const dumbInit = (...options: string[]): Life[] => options.map((options) => ({ options, command: LIFE }));
const as = (init: keyof typeof INITS, ...options: string[]): Life[] =>
  options.map((options) => ({ init, options, command: LIFE }));

const ordinary = [
  ...dumbInit('', '--', '-c', '-v', '-vc', '-r 15:2 -r 1:0', '--rewrite=TERM:QUIT,RTMIN+3:TERM', '-cv --rewrite 15:3'),
  ...dumbInit('-v --signal-names --rewrite 10:12', '--wait-all', '-v --wait-all', '--map-exit 7:0 --log-exit'),
  ...dumbInit('--exec-status', '--subreaper --parent-death-signal TERM', '--subreaper --warn-zombies --log-exit'),
  ...dumbInit('--no-tty-handoff', '--keep-ignored', '-v --log-format=text', '-v --log-format=json'),
  ...dumbInit('--help', '--version', '--help-all', '--list-signals', '--explain', '--explain -c --wait-all'),
  ...dumbInit('--yolo', '-z', '--ver', '-r 99:1', '--kill-after soon', '--help=1', '--map-exit x', '--delay x'),
  ...as('tini', '--', '-s', '-s -w -g -vvv', '-vvv', '-s -e 7', '-s -p SIGTERM', '-h', '-l', '-x', '-e 900', '-p X'),
  ...as('catatonit', '--', '-g', '-h', '-L', '-V', '-x'),
];

const LIVES: Record<string, readonly Life[]> = {
  'an ordinary process': ordinary,
  'PID 1': ordinary.map((life) => ({ ...life, by: AS_PID_1 })),
  'on a terminal': ['leader', 'member', 'free'].flatMap((relation) =>
    [
      ...dumbInit('', '-v', '-vc', '-v --no-tty-handoff', '--explain'),
      ...as('tini', '-s', '-s -vvv'),
      ...as('catatonit', '--', '-g'),
    ].map((life) => ({ ...life, by: ON_TERMINAL(relation) })),
  ),
  'with variables': [
    { options: '', command: LIFE, env: { DUMB_INIT_DEBUG: '1', DUMB_INIT_SETSID: '0' } },
    {
      options: '',
      command: LIFE,
      env: { DUMB_INIT_REWRITE: 'TERM:QUIT', DUMB_INIT_WAIT_ALL: '1', DUMB_INIT_LOG_EXIT: '0' },
    },
    { options: '', command: LIFE, env: { DUMB_INIT_DELAY: 'never' } },
    { init: 'tini', options: '', command: LIFE, env: { TINI_VERBOSITY: '3', TINI_SUBREAPER: '' } },
    { init: 'tini', options: '-s', command: LIFE, env: { TINI_KILL_PROCESS_GROUP: '' } },
    { init: 'catatonit', options: '-g', command: LIFE, env: { CATATONIT_DEBUG: '1' } },
  ],
  'with a command that cannot be executed': ['absent', './absent', '/etc', '/etc/passwd', ''].flatMap((command) => [
    { options: '', command: [command] },
    { options: '-v', command: [command] },
    { options: '--exec-status', command: [command] },
    { init: 'tini' as const, options: '-s -vvv', command: [command] },
    { init: 'catatonit' as const, options: '', command: [command] },
  ]),
  'without a command': [
    { options: '' },
    { options: '--' },
    { options: '-r' },
    { options: '--rewrite' },
    { options: '--pause true' },
    { init: 'tini', options: '' },
    { init: 'catatonit', options: '' },
  ],
  'longer than a second': [
    { options: '', command: `sleep 1.1; ${LIFE}` },
    { options: '-v', command: `sleep 1.1; ${LIFE}` },
    { init: 'tini', options: '-s', command: `sleep 1.1; ${LIFE}` },
  ],
  'with timers': [
    { options: '--delay USR1=1ms', command: LIFE, timers: 1 },
    { options: '-v --delay USR1=1ms,INT=1ms', command: LIFE, timers: 2 },
    { options: '-v --kill-after 1s', command: LIFE, timers: 1 },
    { options: '-v --wait-all --kill-after 1s', command: LIFE, timers: 1, by: AS_PID_1 },
  ],
};

/**
 * How often it has read the clock beyond what it wants to know itself: once at its start, once for each wait that
 * has an end, and once when its first second is over; with timers, at the start and at the end of each.
 * V8 reads it twice for each function that it compiles.
 */
function readsTooMany(lines: readonly string[], timers: number): number {
  const count = (line: RegExp) => lines.filter((each) => line.test(each)).length;
  const waits = count(/^rt_sigtimedwait\(~.* 8\)/);
  const forEver = count(/^rt_sigtimedwait\(~.*, NULL, 8\)/);
  const own = waits === 0 ? 0 : 1 + waits - forEver + Math.min(1, forEver);
  return count(/^clock_gettime\(CLOCK_MONOTONIC/) - own - 2 * timers;
}

for (const [how, lives] of Object.entries(LIVES)) {
  t.test(`nothing that was rehearsed is compiled again: ${how}`, async (t) => {
    const results = await concurrently(
      lives,
      async ({ init = 'dumb-init', options, command, env = {}, by = [], timers = 0 }) => {
        const words = [
          ...options.split(' ').filter(Boolean),
          ...(typeof command === 'string' ? ['sh', '-c', command] : (command ?? [])),
        ];
        const { lines, stderr } = await tracedInit(
          'clock_gettime,rt_sigtimedwait',
          INITS[init],
          [...by, INITS[init], ...words],
          { env: { PATH: '/usr/bin:/bin', ...env } },
        );
        const title = `${[init, options, ...(Array.isArray(command) ? command : [])].join(' ')} ${JSON.stringify(env)} ${by.join(' ')}`;
        const many = readsTooMany(lines, timers);
        if (timers > 0 ? many > 0 : many !== 0) t.fail(`${title}: ${many}`, { lines, stderr });
        return lines.length;
      },
    );
    t.ok(results.length > 0);
  });
}

t.test('no process of the rehearsal is waited for, or gets a signal', async (t) => {
  // The rehearsal's command was PID 7, its orphan 8: of this process neither is a child.
  const { status, lines } = await tracedInit('%process,kill,tgkill,wait4,waitid', INITS['dumb-init'], [
    ...['sh', '-c', '"$@" & while ! grep -q "^SigBlk:.0000000180000000" /proc/$!/status; do :; done; kill $!; wait $!'],
    ...['sh', INITS['dumb-init'], '--pause'],
  ]);
  t.equal(status, 0);
  const [, look, ...rest] = lines;
  t.match(look, /^waitid\(P_ALL, 0, .* = -1 ECHILD/, 'who was dead before is looked for');
  t.strictSame(rest, ['exit_group(0)                           = ?', '+++ exited with 0 +++']);
});

t.test('each of ten lives of one file knows its own arguments, variables and PID alone', async (t) => {
  const script = 'echo "$0 $1 $MARK $$ $(cut -d" " -f4 /proc/$$/stat)"; env | grep -c DUMB_INIT';
  const lives = Array.from({ length: 10 }, (_, i) => i);
  await concurrently(lives, async (i) => {
    const env = { PATH: '/usr/bin:/bin', MARK: `mark ${i}` };
    const running = start(OURS, ['-v', 'sh', '-c', script, `name ${i}`, `argument ${i}`], { env });
    const { status, stdout, stderr } = await running.ended;
    const command = /Child spawned with PID (\d+)/.exec(stderr)?.[1];
    t.strictSame([status, stdout], [1, `name ${i} argument ${i} mark ${i} ${command} ${running.pid}\n0\n`]);
  });
});
