/** What 1.2.5 decides about a command line, as it is seen from outside, and what a parser promises. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Test } from 'tap';
import * as messages from '../../src/messages.ts';
import type { parseOptions } from '../../src/options.ts';
import { SIGNALS } from '../../src/signals.ts';
import { COMMANDS, type CommandLine } from './command-lines.ts';
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

/** What a parser promises for a command line. */
export function promised(parse: typeof parseOptions, { argv0, words, env }: CommandLine): Decision {
  const argv = [argv0, ...words].map(bytes);
  const parsed = parse(argv, (name) => env[name]);
  if (parsed.kind !== 'run') return { status: parsed.status, stdout: '', stderr: [mask(parsed.text)] };

  const { command, verbose, singleChild, rewrites, fromEnvironment } = parsed.options;
  const stderr: string[] = [];
  if (fromEnvironment.debug) stderr.push(messages.debugMode());
  if (fromEnvironment.noSetsid && verbose) stderr.push(messages.notSetsidMode());
  if (verbose) stderr.push(mask(messages.spawned(0)));
  const file = argv[command] ?? '';
  if (!COMMANDS.map(bytes).includes(file)) {
    stderr.push(messages.cannotExecute(file, 'No such file or directory'));
    return { status: 2, stdout: '', stderr: stderr.sort() };
  }
  const stdout = [
    `arguments ${argv.slice(command).map(escaped).join(' ')}`,
    `session ${singleChild ? 'inherited' : 'own'}`,
    `signals ${WITNESSED.map((n) => `${n}:${rewrites.get(n) ?? n}`).join(' ')}`,
    '',
  ].join('\n');
  return { status: 0, stdout, stderr: stderr.sort() };
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
