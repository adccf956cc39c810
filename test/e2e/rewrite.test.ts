/** --rewrite with names and beyond 31, and --list-signals. */
import t from 'tap';
import { NEW_MEANINGS } from '../helpers/command-lines.ts';
import { received } from '../helpers/features.ts';
import { OURS, run } from '../helpers/processes.ts';

const rewrites: [argument: string, sent: number, got: number][] = [
  ['TERM:QUIT', 15, 3],
  ['SIGTERM:SIGQUIT', 15, 3],
  ['sigterm:quit', 15, 3],
  ['15:QUIT', 15, 3],
  ['RTMIN+3:TERM', 37, 15],
  ['TERM:RTMIN+3', 15, 37],
  ['RTMAX:RTMAX-1', 64, 63],
  ['64:3', 64, 3],
  ['HUP:INT,TERM:QUIT', 15, 3],
  ['15:3,1:2', 1, 2],
  ['15:3junk', 15, 3],
];

for (const [argument, sent, got] of rewrites) {
  t.test(`--rewrite ${argument}: ${sent} arrives as ${got}`, async (t) => {
    t.strictSame(await received(['--rewrite', argument], [sent]), { status: 0, stderr: '', got: [got] });
  });
}

t.test('a rewrite that means something here only is no error', async (t) => {
  for (const argument of NEW_MEANINGS) t.equal((await run(OURS, ['-r', argument, 'true'])).status, 0, argument);
});

t.test('--list-signals names what --rewrite takes', async (t) => {
  const { status, stdout } = await run(OURS, ['--list-signals']);
  t.equal(status, 0);
  const lines = stdout.trimEnd().split('\n');
  t.equal(lines.length, 62);
  t.match(stdout, /^ 1 SIGHUP$/m);
  t.match(stdout, /^37 SIGRTMIN\+3$/m);
});
