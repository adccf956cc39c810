/**
 * The shared libraries that Node and the addon need, found where the C compiler finds them.
 *
 *   libraries.ts 'CC OPTION…' FILE…      prints the loader's path, then the libraries' paths, one a line
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { neededLibraries, parseElf } from './elf.ts';

const [compiler = '', ...files] = process.argv.slice(2);
const [cc = '', ...options] = compiler.trim().split(/ +/);
const needed = (file: string) => neededLibraries(parseElf(readFileSync(file), file));

/** SONAME to path, in the order in which they were met. */
const found = new Map<string, string>();
const queue = files.flatMap(needed);
for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
  if (found.has(name)) continue;
  const path = execFileSync(cc, [...options, `-print-file-name=${name}`], { encoding: 'utf8' }).trim();
  if (path === name) throw new Error(`${cc} finds no ${name}`);
  found.set(name, path);
  queue.push(...needed(realpathSync(path)));
}

const isLoader = (name: string) => name.startsWith('ld-linux');
const paths = [...found].sort(([a], [b]) => Number(isLoader(b)) - Number(isLoader(a)));
if (!paths[0] || !isLoader(paths[0][0])) throw new Error('no dynamic loader among the libraries');
for (const [, path] of paths) console.log(path);
