/** Command lines as long as the kernel allows, and an executable with damaged headers. */
import { closeSync, copyFileSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import t from 'tap';
import { EHDR_SIZE, PHDR_SIZE } from '../../scripts/elf.ts';
import { OURS, run } from '../helpers/processes.ts';
import { seeded } from '../helpers/random.ts';
import { figure, times } from '../helpers/torture.ts';

t.test('100,000 arguments reach the command, each as it is', async (t) => {
  const count = 100_000;
  const words = Array.from({ length: count }, (_, i) => String(i));
  const { status, stdout } = await run(OURS, ['sh', '-c', 'printf "%s\\n" "$@"', 'sh', ...words]);
  t.equal(status, 0);
  t.equal(stdout, words.map((word) => `${word}\n`).join(''));
});

t.test('100,000 environment variables reach the command', async (t) => {
  const env = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`V${i}`, '']));
  const { status, stdout } = await run(OURS, ['/usr/bin/env'], { env });
  t.equal(status, 0);
  // The runner of the tests adds some of its own.
  t.equal(stdout.split('\n').filter((line) => /^V\d+=$/.test(line)).length, Object.keys(env).length);
});

t.test('words of the greatest length that the kernel takes reach the command', async (t) => {
  const word = 'x'.repeat(32 * 4096 - 1); // MAX_ARG_STRLEN (execve(2))
  const words = Array.from({ length: 12 }, () => word);
  const { status, stdout } = await run(OURS, ['sh', '-c', 'printf %s "$@"', 'sh', ...words]);
  t.equal(status, 0);
  t.equal(stdout.length, words.length * word.length);
});

t.test('damaged ELF headers: it works, is refused or killed, but never hangs', async (t) => {
  const folder = mkdtempSync('build/test/damaged-');
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = `${folder}/dumb-init`;
  copyFileSync(OURS, path);
  const headers = Buffer.alloc(EHDR_SIZE);
  const fd = openSync(path, 'r');
  readSync(fd, headers, 0, headers.length, 0);
  closeSync(fd);
  const size = EHDR_SIZE + PHDR_SIZE * headers.readUInt16LE(56);
  const random = seeded(8);
  const counts = { worked: 0, refused: 0, killed: 0 };
  const rounds = times(400, 25);
  for (let round = 0; round < rounds; round++) {
    const [at, bit] = [random.below(size), random.below(8)];
    flip(path, at, bit);
    const { status, stderr } = await run(path, ['sh', '-c', 'exit 7'], { limitMs: 30_000 }).catch((error) => {
      if (!/ENOEXEC|EINVAL|ELIBBAD|ENOMEM|EACCES|UNKNOWN/.test(error.code)) throw error;
      return { status: 126, stderr: '' };
    });
    flip(path, at, bit);
    if (status === 7) counts.worked++;
    else if (status === 126 || (status === 1 && stderr !== '')) counts.refused++;
    else if (status > 128 || status === 127) counts.killed++;
    else t.fail(`bit ${bit} of byte ${at}: status ${status}\n${stderr}`);
  }
  figure(
    'Hostile input',
    `${rounds} executables with one bit of the headers flipped: ${counts.worked} worked, ${counts.refused} refused, ${counts.killed} killed, none hung`,
  );
  t.equal((await run(path, ['sh', '-c', 'exit 7'])).status, 7, 'undamaged again it works');
});

function flip(path: string, at: number, bit: number): void {
  const fd = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ (1 << bit);
  writeSync(fd, byte, 0, 1, at);
  closeSync(fd);
}
