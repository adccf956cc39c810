/** dumb-init under the name of another init, held against that init: random command lines and what comes of them. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import fc, { type Arbitrary } from 'fast-check';
import type { Test } from 'tap';
import { EACCES } from '../../src/abi.ts';
import type { Personality } from '../../src/personality.ts';
import { type CommandLine, type Grammar, lineOf, some, word } from './command-lines.ts';
import { NO_SUCH_FILE, promised as onPaper, type Scene } from './paper.ts';
import { fixture, OURS, type Result, type Running, run, start } from './processes.ts';
import { firstDifference } from './samples.ts';

/** Lines each of which is about one entry of the grammar, among others that go with it. */
export function linesAbout(argv0: string, about: Grammar, around: Grammar): Record<string, Arbitrary<CommandLine>> {
  const command = fc.oneof({ weight: 5, arbitrary: word(...COMMANDS) }, { weight: 1, arbitrary: fc.constant({}) });
  const others = some(around, 2);
  return Object.fromEntries(
    Object.entries(about).map(([name, token]) => [
      name,
      fc
        .tuple(others, token, others, command, some({ argument: word(...ARGUMENTS) }, 3))
        .map(([before, token, after, command, rest]) => lineOf(argv0, [...before, token, ...after, command, ...rest])),
    ]),
  );
}

const COMMANDS = ['run', 'run', 'run', 'run', 'absent', 'noexec', '/etc', '', '-'];
const ARGUMENTS = ['a', '', 'b c', '--', '--', '-', '-g', '-v', '-x', '--version', '-h', 'é'];

/** How the command ends: by exit status, or by signal as 128 + it. */
export const ENDS = ['0', '1', '3', '130', '137', '143', '255'];

/** Tells its arguments, and what it has inherited: in one write, as the init writes to the same pipe meanwhile. */
const RUN = `#!/bin/sh
read pid name state parent group session rest < /proc/$$/stat
[ $group = $$ ] && group=' leads its group' || group=
[ $session = $$ ] && session=' leads its session' || session=
line=
[ $# -gt 0 ] || set ''
for word; do line="$line<$word>"; done
printf '%s\\n' "$line$group$session"
[ $END -gt 128 ] && [ $END -lt 255 ] && kill -$((END - 128)) $$
exit $END
`;

export interface StandIn {
  /** Both, with one command line. */
  both(line: CommandLine): Promise<{ ours: Seen; theirs: Seen }>;
  /** Both, in a situation (test/fixtures/situation.c). */
  startBoth(line: CommandLine, settings?: string[]): Running[];
  /** What the kernel says of the signals of a command that each of them starts in a situation. */
  inherited(settings: string[]): Promise<string>[];
}

/** What counts of a result. */
export interface Seen {
  status: number;
  stdout: string;
  /** Lines of the init, sorted: parent and child write in any order, and to stdout when they end. */
  lines: string[];
}

/** A folder with the commands of the grammar, and the two executables under one name. */
export function standIn(t: Test, oracle: string, dull: RegExp): StandIn {
  const folder = mkdtempSync(resolve('build/test/stand-in-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'run'), RUN);
  writeFileSync(join(bin, 'noexec'), RUN);
  chmodSync(join(bin, 'run'), 0o755);
  symlinkSync('/bin/sh', join(bin, 'sh'));
  const environment = (env: Record<string, string>) => ({ PATH: `${bin}:/usr/bin:/bin`, END: '0', ...env });
  const seen = async (init: string, { argv0, words, env }: CommandLine) =>
    comparable(await run(init, words, { argv0, env: environment(env) }), dull);
  // For a situation, whose program is its own argv[0].
  const links = [OURS, oracle].map((init, i) => {
    mkdirSync(join(folder, String(i)));
    symlinkSync(init, join(folder, String(i), basename(oracle)));
    return join(folder, String(i), basename(oracle));
  });
  return {
    both: async (line) => ({ ours: await seen(OURS, line), theirs: await seen(oracle, line) }),
    startBoth: ({ words, env }, settings = []) =>
      links.map((init) =>
        start(fixture('situation'), [...settings, ...variables(environment(env)), '--', init, ...words], {
          cwd: '/usr',
        }),
      ),
    inherited: (settings) =>
      links.map(async (init) => {
        const words = [...settings, '--', init, '--', '/bin/cat', '/proc/self/status'];
        return (await run(fixture('situation'), words)).stdout.match(/^Sig(Blk|Ign).*\n/gm)?.join('') ?? '';
      }),
  };
}

const variables = (env: Record<string, string>) => Object.entries(env).map(([name, value]) => `env=${name}=${value}`);

const PID = /((?:tini|catatonit)[ :]\(?|pid1 \(|pid(?:: |=| )'?|child process )\d+/g;

/** A line of an init, for lines of the command don't begin so. */
const OF_INIT = /^(?:\[[A-Z]+ *tini|[A-Z]+ \(catatonit:)/;

/** @param dull lines that tell nothing that both can say at the same time */
export function comparable({ status, stdout, stderr }: Result, dull: RegExp): Seen {
  // Of a line of catatonit the level is written apart from the text; its child may write between.
  const texts = stderr.replace(/([A-Z]+ \(catatonit:)\d+\): /g, '\n$1N)\n');
  const others = (text: string) => text.split('\n').filter((line) => !OF_INIT.test(line));
  const all = [...stdout.split('\n').filter((line) => OF_INIT.test(line)), ...texts.split('\n')].filter(Boolean);
  const lines = all.map((line) => line.replace(PID, '$1N')).filter((line) => !dull.test(line));
  return { status, stdout: licence(others(stdout).join('\n')), lines: [...new Set(lines)].sort() };
}

/** Each has its own. */
const licence = (text: string) => (/Licen[cs]e/.test(text) && !text.includes('Usage') ? '(licence)' : text);

const DENIED = { errno: EACCES, text: 'Permission denied' };

/** What is promised for a line: the command ends, and nothing else happens. */
export function promised(personality: Personality, { argv0, words, env }: CommandLine, dull: RegExp): Seen {
  const argv = [argv0, ...words].map((text) => Buffer.from(text).toString('latin1'));
  const end = Number(env['END'] ?? 0);
  const scene: Scene = {
    pid: 7,
    child: 8,
    exec: ({ file }) => (file === 'run' ? undefined : /^(noexec|\/etc)$/.test(file) ? DENIED : NO_SUCH_FILE),
  };
  const outcome = ([, ...args]: readonly string[]) => ({
    stdout: `${args.map((arg) => `<${arg}>`).join('') || '<>'} leads its group\n`,
    status: end > 128 && end < 255 ? end - 128 : end << 8,
  });
  return comparable(
    onPaper(personality, argv, (name) => env[name], scene, outcome),
    dull,
  );
}

/** Every line by our parser and policy, and by our executable: random ones, and some that are given. */
export async function holdAgainst(
  t: Test,
  it: StandIn,
  personality: Personality,
  { kinds, given, dull }: { kinds: Record<string, Arbitrary<CommandLine>>; given: CommandLine[]; dull: RegExp },
) {
  const [seed, count] = [Number(process.env['SEED'] ?? 1), Number(process.env['LINES'] ?? 600)];
  t.comment(`SEED=${seed} LINES=${count}`);
  const differs = async (line: CommandLine) => {
    const expected = promised(personality, line, dull);
    const { ours, theirs } = await it.both(line);
    const same = [expected, ours].every((seen) => JSON.stringify(seen) === JSON.stringify(theirs));
    return same ? undefined : { expected, ours, theirs };
  };
  const all = { ...kinds, given: fc.constantFrom(...given) };
  t.strictSame(await firstDifference(all, count, seed, differs), undefined, `SEED=${seed}`);
}
