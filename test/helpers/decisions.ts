/** What 1.2.5 decides about a command line, as it is seen from outside, and what a parser promises. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Test } from 'tap';
import type { Command } from '../../src/begin.ts';
import type { Options, parseOptions } from '../../src/options.ts';
import { dumbInit } from '../../src/personalities/dumb-init.ts';
import { SIGNALS } from '../../src/signals.ts';
import { COMMANDS, type CommandLine } from './command-lines.ts';
import { NO_SUCH_FILE, promised as onPaper, type Scene } from './paper.ts';
import { fixture, type Result, run } from './processes.ts';

/** A folder in which each command is the witness, which tells of itself and of the signals it gets. */
export function witnesses(t: Test) {
  const folder = mkdtempSync(resolve('build/test/command-line-'));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const name of COMMANDS) symlinkSync(fixture('witness'), join(bin, name));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const give = (init: string, { argv0, words, env }: CommandLine) =>
    run(init, words, { argv0, env: { PATH: bin, ...env } });
  return { folder, give };
}

/** What both say alike, but for the version and the PIDs. */
export const mask = (text: string) =>
  text.replace(/dumb-init v\d+\.\d+\.\d+/g, 'dumb-init vX').replace(/PID \d+/g, 'PID N');

const bytes = (text: string) => Buffer.from(text).toString('latin1');

/** What can be seen of a run that a parser decides. Of the debug lines only a few are its own. */
export interface Decision {
  status: number;
  stdout: string;
  /** Sorted, for the lines of parent and child come in any order. */
  stderr: string[];
}

/** What is promised for a command line, if it is read so. */
export function promised(parse: typeof parseOptions, { argv0, words, env }: CommandLine): Decision {
  const argv = [argv0, ...words].map(bytes);
  const scene: Scene = {
    pid: 1,
    child: 2,
    exec: ({ file }) => (COMMANDS.map(bytes).includes(file) ? undefined : NO_SUCH_FILE),
  };
  const witnessed = (words: readonly string[], { session }: Command, { rewrites }: Options) => ({
    stdout: [
      `arguments ${words.map(escaped).join(' ')}`,
      `session ${session === 'none' ? 'inherited' : 'own'}`,
      `signals ${WITNESSED.map((n) => `${n}:${rewrites.get(n) ?? n}`).join(' ')}`,
      '',
    ].join('\n'),
    status: 0,
  });
  return decided(onPaper({ ...dumbInit, parse }, argv, (name) => env[name], scene, witnessed));
}

const DECIDED = /^\[dumb-init\] (Running in debug|Not running in setsid|Child spawned|[\s\S]*: No such file)/;

/** What was seen of a run. */
export function decided({ status, stdout, stderr }: Result): Decision {
  const text = mask(stderr);
  if (!text.startsWith('[dumb-init] ')) return { status, stdout, stderr: text === '' ? [] : [text] };
  const lines = text.match(/\[dumb-init\] [\s\S]*?\n(?=\[dumb-init\] |$)/g) ?? [];
  return { status, stdout, stderr: lines.filter((line) => DECIDED.test(line)).sort() };
}

/** As test/fixtures/witness.c prints a word, and the signals that it sends. */
const escaped = (word: string) =>
  `"${word.replace(/[^ !#-[\]-~]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
const WITNESSED = SIGNALS.filter(({ n, suspends }) => !suspends && ![9, 17, 19].includes(n)).map(({ n }) => n);
