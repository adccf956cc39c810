/** How the command is found and executed, held against dumb-init 1.2.5, which leaves it to execvp(3). */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import t from 'tap';
import { concurrently } from '../helpers/concurrently.ts';
import { debugLines } from '../helpers/parity.ts';
import { ORACLE, OURS, type Result, run } from '../helpers/processes.ts';

/** The working directory of all cases. */
const folder = mkdtempSync(resolve('build/test/exec-'));
t.teardown(() => {
  chmodSync(join(folder, 'closed'), 0o700);
  rmSync(folder, { recursive: true });
});

function file(path: string, content: string, mode = 0o755): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content, { encoding: 'latin1', mode });
}

function link(path: string, target: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  symlinkSync(target, join(folder, path));
}

/** A script that tells how it was called. */
const script = (name: string, shebang = '#!/bin/sh\n') => `${shebang}echo ${name}: "$0" "$@"\n`;

for (const name of ['bin', 'also']) file(`${name}/tool`, script(name));
file('tool', script('here'));
file('denied/tool', script('denied'), 0o644);
file('folder/tool/file', '');
file('unreadable/tool', script('unreadable'), 0o111);
mkdirSync(join(folder, 'closed'));
file('closed/tool', script('closed'));
for (const name of ['unreadable', 'busy']) {
  mkdirSync(join(folder, name), { recursive: true });
  copyFileSync('/bin/busybox', join(folder, name, 'echo'));
}
chmodSync(join(folder, 'unreadable/echo'), 0o111);
chmodSync(join(folder, 'closed'), 0);

link('link/tool', '../bin/tool');
link('dangling/tool', 'nowhere');
link('loop/tool', 'tool');
link('circle', 'circle');
link('chain/0', '../bin/tool');
for (let i = 1; i <= 41; i++) link(`chain/${i}`, `${i - 1}`);

file('plain/tool', script('plain', ''));
file('empty/tool', '');
file('blank/tool', '\n\n');
file('zeros/tool', '\0\0\0\0');
file('garbage/tool', '\x7fELF: not really\n');
file('bare/tool', script('bare', '#!\n'));
file('spaced/tool', script('spaced', '#! \t/bin/sh -e \n'));
file('options/tool', script('options', '#!/bin/sh -e -u\n'));
file('lost/tool', script('lost', '#!/nowhere/interpreter\n'));
file('returned/tool', script('returned', '#!/bin/sh\r\n'));
file('relative/tool', script('relative', '#!bin/tool with\n'));
file('nested/tool', script('nested', '#!spaced/tool\n'));
file('interpreted-by-plain/tool', script('by-plain', '#!plain/tool\n'));
file('interpreted-by-folder/tool', script('by-folder', '#!/\n'));
file('interpreted-by-denied/tool', script('by-denied', '#!denied/tool\n'));
file('interpreted-by-itself/tool', script('by-itself', '#!interpreted-by-itself/tool\n'));
file('interpreted-by-long/tool', script('by-long', `#!/${'x'.repeat(300)}\n`));
file('unfinished/tool', '#!/bin/sh');
file(`names/${'n'.repeat(255)}`, script('longest'));

/** The path of a folder, `length` characters long. */
const long = (folder: string, length: number) => `.${'/'.repeat(length - folder.length - 1)}${folder}`;

interface Case {
  /** PATH; not set when undefined. */
  path?: string | undefined;
  command: string;
  /** Root without capabilities, whom file permissions hold back. */
  powerless?: true;
  option?: string;
}

const search = (...paths: (string | undefined)[]): Case[] => paths.map((path) => ({ path, command: 'tool' }));
const name = (...commands: string[]): Case[] => commands.map((command) => ({ path: 'bin', command }));
const powerless = (cases: Case[]): Case[] => cases.map((each) => ({ ...each, powerless: true }));

const cases: Record<string, Case[]> = {
  'PATH unset: /bin and /usr/bin': [...search(undefined), { command: 'env' }, { command: 'absent' }],
  'PATH empty: the working directory': [...search('', ':', '::'), { path: '', command: 'absent' }],
  'PATH with empty parts': search(':bin', 'bin:', 'absent::bin', 'absent:bin:', 'absent:'),
  'PATH with folders that are not there': search('absent', 'absent:bin', '/absent:bin:also', 'also:bin'),
  'PATH with what is no folder': search('bin/tool', 'bin/tool:also', 'bin/tool/:also', 'circle', 'circle:bin'),
  'PATH relative, with a slash behind, with dots': search('./bin', 'bin/', 'bin//', 'also/../bin', `${folder}/bin`),
  'a hit that is a folder': [...search('folder', 'folder:bin', 'folder:absent'), ...name('folder/tool', '.', '/')],
  'a hit that is not executable': [...search('denied', 'denied:bin', 'denied:absent', 'absent:denied')],
  'a hit that is not executable, without privileges': powerless(
    search('denied', 'denied:bin', 'denied:absent', 'denied:circle', 'denied:absent:bin/tool'),
  ),
  'a folder that is not to be searched': powerless([...search('closed', 'closed:bin'), ...name('closed/tool')]),
  'a program that is not to be read': powerless([{ path: 'unreadable', command: 'echo' }, ...name('unreadable/echo')]),
  'a script that is not to be read': powerless([...search('unreadable', 'unreadable:bin')]),
  'names with a slash are not searched for': name('bin/tool', './tool', 'absent/tool', 'tool/', 'bin/', './absent'),
  'empty name, dots, blanks': name('', '.', '..', ' ', 'tool ', '\n', '-'),
  'symbolic links': [...search('link', 'dangling', 'dangling:bin'), ...name('link/tool', 'dangling/tool')],
  'loops of symbolic links': [
    ...search('loop', 'loop:bin', 'circle/bin', 'circle/bin:bin'),
    ...name('loop/tool', 'circle', 'chain/20', 'chain/39', 'chain/40', 'chain/41'),
  ],
  'scripts without #! run by /bin/sh': search('plain', 'empty', 'blank', 'zeros', 'garbage', 'bare', 'denied:plain'),
  'scripts without #! by name': name('plain/tool', 'empty/tool', 'garbage/tool', 'bare/tool', `${folder}/plain/tool`),
  'scripts with #!': search('bin', 'spaced', 'options', 'relative', 'nested', 'unfinished', 'interpreted-by-plain'),
  'scripts with a broken #!': search(
    ...['lost', 'lost:bin', 'returned', 'interpreted-by-folder', 'interpreted-by-folder:bin', 'interpreted-by-denied'],
    ...['interpreted-by-itself', 'interpreted-by-itself:bin', 'interpreted-by-long', 'interpreted-by-long:bin'],
  ),
  'long names': [
    ...name('n'.repeat(255), 'n'.repeat(256), 'n'.repeat(257), 'n'.repeat(5000)),
    ...name(`names/${'n'.repeat(255)}`, `names/${'n'.repeat(256)}`, `absent/${'n'.repeat(256)}`),
    ...[255, 256, 300].flatMap((length) =>
      ['names', 'absent', 'absent:names', undefined, ''].map((path) => ({ path, command: 'n'.repeat(length) })),
    ),
  ],
  'long paths': [4094, 4095, 4096, 5000].flatMap((length) => name(`${long('bin', length - 5)}/tool`)),
  'long folders in PATH': [4090, 4091, 4095, 4096, 9000].flatMap((length) =>
    search(`${long('bin', length)}:also`, `also:${long('bin', length)}`, `absent:${long('bin', length)}`),
  ),
  'a PATH as long as the kernel takes one': search(`${'x:'.repeat(65_000)}bin`, 'x:'.repeat(65_000)),
  'in the session of the caller (-c)': [
    ...search('bin', 'absent:', 'denied:absent', 'circle:bin', 'plain', 'lost', `${long('bin', 4096)}:also`),
    ...name('bin/tool', 'folder/tool', 'plain/tool', ''),
  ].map((each) => ({ ...each, option: '-c' })),
};

const ARGUMENTS = ['a', '', 'b c', '-d'];

function give(init: string, { path, command, powerless, option = '--' }: Case): Promise<Result> {
  const environment = path === undefined ? ['-u', 'PATH'] : [`PATH=${path}`];
  const privileges = powerless ? ['setpriv', '--inh-caps=-all', '--bounding-set=-all'] : [];
  return run('env', [...privileges, 'env', ...environment, init, option, command, ...ARGUMENTS], { cwd: folder });
}

/** A case as the name of a test. */
function short({ command, path }: Case): string {
  const cut = (text = '(unset)') => (text.length > 50 ? `${text.slice(-20)} (${text.length} characters)` : text);
  return `${cut(command)} in PATH ${cut(path)}`;
}

for (const [behaviour, all] of Object.entries(cases)) {
  t.test(`as 1.2.5: ${behaviour}`, async (t) => {
    await concurrently(all, async (each) => {
      t.strictSame(await give(OURS, each), await give(ORACLE, each), short(each));
    });
  });
}

t.test(
  'unlike 1.2.5, a PATH of nothing but a folder too long for any path is told as such: the file is not there',
  async (t) => {
    // execvp tries nothing then, and the error that 1.2.5 shows is whatever failed last before.
    const { status, stderr } = await give(OURS, { path: long('bin', 4096), command: 'tool' });
    t.strictSame([status, stderr], [2, '[dumb-init] tool: No such file or directory\n']);
  },
);

t.test('as 1.2.5: a program that is open for writing', async (t) => {
  const fd = openSync(join(folder, 'busy/echo'), 'r+');
  t.teardown(() => closeSync(fd));
  const give = (init: string) => run(init, ['busy/echo', 'a'], { cwd: folder });
  t.strictSame(await give(OURS), await give(ORACLE));
});

for (const option of ['-v', '-vc']) {
  t.test(`as 1.2.5: the debug lines of every way to find a command, with ${option}`, async (t) => {
    // The command writes at the same time, in pieces; and the error of a name with a line break would be two lines.
    const ofInit = (text: string) => text.match(/\[dumb-init\] .*/g) ?? [];
    const all = Object.values(cases).flat();
    await concurrently(
      all.filter(({ command }) => !command.includes('\n')),
      async (each) => {
        const [ours, theirs] = [await give(OURS, { ...each, option }), await give(ORACLE, { ...each, option })];
        t.equal(ours.status, theirs.status, short(each));
        const [told, expected] = [ours, theirs].map(({ stderr }) => debugLines(ofInit(stderr).join('\n')));
        t.strictSame(told, expected, short(each));
      },
    );
  });
}

t.test('where parent and child of 1.2.5 write at the same time, the lines come in one order', async (t) => {
  const { status, stderr } = await run(OURS, ['-v', './absent'], { cwd: folder });
  t.equal(status, 2);
  t.strictSame(
    stderr
      .replace(/PID \d+/g, 'PID N')
      .trim()
      .split('\n'),
    [
      '[dumb-init] Unable to detach from controlling tty (errno=25 Inappropriate ioctl for device).',
      '[dumb-init] Unable to attach to controlling tty (errno=25 Inappropriate ioctl for device).',
      '[dumb-init] setsid complete.',
      '[dumb-init] ./absent: No such file or directory',
      '[dumb-init] Child spawned with PID N.',
      '[dumb-init] Received signal 17.',
      '[dumb-init] A child with PID N exited with exit status 2.',
      '[dumb-init] Forwarded signal 15 to children.',
      '[dumb-init] Child exited with status 2. Goodbye.',
    ],
  );
});
