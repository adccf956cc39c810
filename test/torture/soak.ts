/**
 * The long run: dumb-init as PID 1 under random work, one life that lasts all the time and, beside it,
 * one short life after another, with random options and every third on a terminal.
 *
 *   SOAK=seconds SEED=n make soak      (an hour, and another seed each time, unless given)
 *
 * What it says is compared with `decide`, line by line: the signals must be those that were sent, in
 * the kernel's order, and the dead those that the command has left. What it does is compared too: the
 * signals that reach the command, the processes that are reaped, the exit status.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { decide } from '../../src/decide.ts';
import { dumbInit } from '../../src/personalities/dumb-init.ts';
import {
  ALL_SIGNALS,
  SIGCHLD,
  SIGCONT,
  SIGHUP,
  SIGINT,
  SIGKILL,
  SIGNALS,
  SIGSTOP,
  SUSPENDING,
  signalName,
} from '../../src/signals.ts';
import type { Action, Event, State } from '../../src/state.ts';
import { textOf } from '../../src/voice.ts';
import { type Ending, ending, exitStatus } from '../../src/wait-status.ts';
import { beginOnPaper } from '../helpers/paper.ts';
import { AS_PID_1, childrenOf, fixture, OURS, processState, statusKib, waitUntil } from '../helpers/processes.ts';
import { type Random, seeded } from '../helpers/random.ts';

const SECONDS = Number(process.env['SOAK'] || 3600);
const SEED = Number(process.env['SEED'] || Date.now() % 1e9);

/** Of those that are pending the kernel hands these out first (kernel/signal.c, SYNCHRONOUS_MASK). */
const SYNCHRONOUS = ['SIGILL', 'SIGTRAP', 'SIGBUS', 'SIGFPE', 'SIGSEGV', 'SIGSYS'];
const rank = (n: number) => (SYNCHRONOUS.includes(signalName(n)) ? n : n + 64);

/** What can be sent to PID 1, but for the stops, which cancel a pending CONT and are cancelled by it. */
const SENT = ALL_SIGNALS.filter((n) => ![SIGKILL, SIGSTOP, SIGCHLD].includes(n) && !SUSPENDING.has(n));
/** What a rewrite may make of a signal: what the command takes and reports. */
const TARGETS = SIGNALS.map(({ n }) => n).filter((n) => SENT.includes(n) && n !== SIGCONT);
/** Exit statuses and, negated, signals. */
const ENDS = [0, 1, 7, 42, 130, 255, -2, -6, -9, -15];

const counts = { lives: 0, onTerminal: 0, signals: 0, bursts: 0, stops: 0, orphans: 0, lines: 0 };

/** Something that no prediction allows. */
class Surprise extends Error {}

class Life {
  readonly #process: ChildProcess;
  readonly #random: Random;
  readonly #terminal: boolean;
  readonly #options: string[];
  readonly #log: string[] = [];
  readonly #ended: Promise<number>;
  #pid1 = 0;
  #command = 0; // as we see it from outside
  #state: State | undefined;
  /** Lines that must come next. */
  #predicted: string[] = [];
  /** The dead are being reaped: no other signal has been taken since the CHLD. */
  #reaping = false;
  /** Signals that were sent and not taken yet, in the order in which they will be. */
  #sent: { n: number; handoff?: true }[] = [];
  /** By signal: how many must reach the command, less those that have. */
  readonly #owed = new Map<number, number>();
  /** Orphans by PID: how each ends, or has ended. */
  readonly #left = new Map<number, number>();
  readonly #reaped = new Map<number, Ending>();
  readonly #asked: number[] = [];
  #exit: number | undefined;
  /** What the command has been told to do in the end. */
  #commandEnd: number | undefined;
  #startLines: string[] = [];

  constructor(random: Random, terminal: boolean) {
    this.#random = random;
    this.#terminal = terminal;
    this.#options = randomOptions(random, terminal);
    const words = [OURS, ...this.#options, fixture('worker')];
    // On a terminal it leads the session that the terminal controls.
    const [command = '', ...args] = terminal
      ? [fixture('pty'), 'free', ...AS_PID_1, 'setsid', '--ctty', ...words]
      : [...AS_PID_1, ...words];
    this.#process = spawn(command, args, { stdio: 'pipe' });
    this.#ended = new Promise((resolve) => {
      this.#process.on('close', (code, signal) => resolve(code ?? (signal === null ? -1 : -2)));
    });
    lines(this.#process.stderr, (line) => this.#log.push(line));
    lines(this.#process.stdout, (line) => this.#heard(line));
    counts.lives++;
    if (terminal) counts.onTerminal++;
  }

  get pid1(): number {
    return this.#pid1;
  }

  async begin(): Promise<void> {
    await this.#until(() => this.#ready, 'the command to be ready');
    const { pid = 0 } = this.#process;
    [this.#pid1 = 0] = childrenOf(this.#terminal ? (childrenOf(pid)[0] ?? 0) : pid);
    [this.#command = 0] = childrenOf(this.#pid1);
    if (this.#terminal) this.#sent.push({ n: SIGHUP, handoff: true }, { n: SIGCONT, handoff: true });
    await this.#settled();
  }

  /** One piece of random work, and all that comes of it. */
  async step(): Promise<void> {
    const kind = this.#random.below(100);
    if (kind < 60) await this.#signal();
    else if (kind < 70) await this.#burst();
    else if (kind < 85) this.#orphans(1 + this.#random.below(30));
    else if (kind < 92) await this.#stop();
    else if (this.#terminal) this.#type();
    await this.#settled();
    await sleep(this.#random.below(300));
  }

  async #signal(): Promise<void> {
    // The dead may come first, or after: that can't be predicted, and is checked anyway.
    if (this.#random.below(4) === 0) this.#orphans(3);
    this.#send(this.#random.pick(SENT));
  }

  /** Many at once, while PID 1 is stopped from outside. Of a standard signal one is kept, of a real-time one each. */
  async #burst(): Promise<void> {
    process.kill(this.#pid1, SIGSTOP);
    await this.#until(() => processState(this.#pid1) === 'T', 'PID 1 to stop');
    const chosen = new Map<number, number>();
    for (let left = 2 + this.#random.below(30); left > 0; left--) {
      const n = this.#random.pick(SENT);
      const target = this.#target(n);
      if (n === SIGCONT || (target < 32 && chosen.has(target))) continue;
      chosen.set(target, n);
      this.#send(n);
    }
    if (this.#random.below(2) === 0) this.#orphans(5);
    this.#send(SIGCONT);
    this.#sent.sort((a, b) => rank(a.n) - rank(b.n));
    counts.bursts++;
  }

  #orphans(count: number): void {
    for (let left = count; left > 0; left--) {
      const end = this.#random.pick(ENDS);
      this.#asked.push(end);
      this.#process.stdin?.write(`orphan ${end}\n`);
    }
    counts.orphans += count;
  }

  /** The job-control stops, and on again. */
  async #stop(): Promise<void> {
    const n = this.#random.pick([...SUSPENDING]);
    this.#send(n);
    await this.#settled();
    if (this.#target(n) === SIGSTOP) {
      await this.#until(() => processState(this.#command) === 'T', 'the command to stop');
      this.#send(SIGCONT);
      await this.#until(() => processState(this.#command) !== 'T', 'the command to go on');
    }
    counts.stops++;
  }

  /** What the kernel sends to the foreground of the terminal: that is the command's group, not PID 1. */
  #type(): void {
    const [keys, n] = this.#random.pick([
      ['\x03', SIGINT],
      ['\x1c', 3],
      ['\x1a', 20],
      ['', 28],
    ] as const);
    if (keys) this.#process.stdin?.write(keys);
    else process.kill(this.#process.pid ?? 0, 'SIGUSR1'); // a resize
    this.#owe(n, 1);
  }

  /** Ends the command in a random way, and checks what is left to be checked. */
  async end(): Promise<void> {
    if (this.#terminal && this.#random.below(3) === 0) {
      this.#process.stdin?.end(); // hangs up
      this.#owe(SIGHUP, 1);
      this.#owe(SIGCONT, 1);
      await this.#settled();
      this.#commandEnd = -SIGKILL;
      process.kill(this.#command, SIGKILL);
    } else if (this.#random.below(4) === 0) {
      this.#commandEnd = -SIGKILL;
      process.kill(this.#command, SIGKILL);
    } else {
      this.#commandEnd = this.#random.pick(ENDS);
      this.#process.stdin?.write(`end ${this.#commandEnd}\n`);
    }
    const status = await Promise.race([this.#ended, sleep(60_000, undefined, { ref: false })]);
    this.#replay();
    if (this.#exit === undefined || status !== this.#exit) {
      throw new Surprise(`exit status ${status}, not ${this.#exit}\n${this.#describe()}`);
    }
    if (this.#log.length > 0 || this.#predicted.length > 0) throw new Surprise(`the end\n${this.#describe()}`);
  }

  /** It can't be trusted any more. */
  kill(): void {
    for (const pid of [this.#pid1, this.#process.pid ?? 0]) if (pid > 0) process.kill(pid, SIGKILL);
  }

  #send(n: number): void {
    process.kill(this.#pid1, n);
    this.#sent.push({ n });
    counts.signals++;
  }

  /** What becomes of a signal. */
  #target(n: number): number {
    return this.#state?.rewrites.get(n) ?? n;
  }

  #owe(n: number, count: number): void {
    this.#owed.set(n, (this.#owed.get(n) ?? 0) + count);
  }

  #ready = false;

  /** A line of the command. */
  #heard(line: string): void {
    const [, pid] = /^orphan (\d+)$/.exec(line) ?? [];
    if (line === 'ready') this.#ready = true;
    else if (pid) this.#left.set(Number(pid), this.#asked.shift() ?? Number.NaN);
    else this.#owe(Number(line), -1);
  }

  /** All that was sent has been taken, all that was decided has been done, and all orphans are reaped. */
  async #settled(): Promise<void> {
    await this.#until(() => {
      this.#replay();
      for (const [pid, end] of this.#left) {
        const found = this.#reaped.get(pid);
        if (!found) continue;
        if (value(found) !== end) throw new Surprise(`orphan ${pid}: ${JSON.stringify(found)}, not ${end}`);
        this.#left.delete(pid);
        this.#reaped.delete(pid);
      }
      const quiet =
        this.#sent.length + this.#predicted.length + this.#log.length + (this.#state?.timers.size ?? 1) === 0;
      if (quiet) for (const [n, owed] of this.#owed) if (owed < 0) throw new Surprise(`signal ${n} came unasked`);
      const even = [...this.#owed.values()].every((owed) => owed === 0);
      return quiet && even && this.#asked.length + this.#left.size + this.#reaped.size === 0;
    }, 'it to settle');
  }

  /** Takes the lines of the log one by one. */
  #replay(): void {
    for (let line = this.#log.shift(); line !== undefined; line = this.#log.shift()) {
      counts.lines++;
      if (!this.#state) {
        this.#start(line);
        continue;
      }
      if (this.#predicted.length === 0) this.#event(line);
      if (this.#predicted.shift() !== `${line}\n`) throw new Surprise(`the line: ${line}\n${this.#describe()}`);
    }
  }

  /** The lines until the command runs, as the beginning on paper has them. */
  #start(line: string): void {
    this.#startLines.push(`${line}\n`);
    const [, child] = /Child spawned with PID (\d+)/.exec(line) ?? [];
    if (!child) return;
    const words = ['dumb-init', ...this.#options, 'worker'];
    const parsed = dumbInit.parse(words, () => undefined, { pid: 1, describe: String });
    if (parsed.kind !== 'run') throw new Error('the options are wrong');
    const scene = { pid: 1, child: Number(child), terminal: this.#terminal };
    const { lines, beginning } = beginOnPaper(parsed.options, dumbInit, words, scene);
    if (this.#startLines.join('') !== lines.join('')) throw new Surprise(this.#startLines.join(''));
    if ('state' in beginning) this.#state = beginning.state;
  }

  /** The event that must have led to this line. */
  #event(line: string): void {
    const [, n] = /Received signal (\d+)\.$/.exec(line) ?? [];
    const [, pid, how, number] = /PID (\d+) (exited|was terminated) .* (\d+)\.$/.exec(line) ?? [];
    if (n) {
      this.#reaping = Number(n) === SIGCHLD;
      const sent = this.#reaping ? { n: SIGCHLD } : this.#sent.shift();
      if (sent?.n !== Number(n)) throw new Surprise(`${line} It was ${sent?.n} that was sent.\n${this.#describe()}`);
      this.#decide({ type: 'signal', ...sent });
    } else if (pid && this.#reaping) {
      const status = how === 'exited' ? Number(number) << 8 : Number(number);
      const isCommand = Number(pid) === this.#state?.child;
      if (isCommand && value(ending(status)) !== this.#commandEnd) throw new Surprise(`the command: ${line}`);
      if (!isCommand && this.#reaped.has(Number(pid))) throw new Surprise(`reaped twice: ${pid}`);
      if (!isCommand) this.#reaped.set(Number(pid), ending(status));
      this.#decide({ type: 'died', pid: Number(pid), status });
    } else {
      for (const id of this.#state?.timers ?? []) {
        const [, actions] = decide(this.#state as State, { type: 'timeout', id });
        if (!actions.some((action) => action.type === 'log' && textOf(action.line) === `${line}\n`)) continue;
        this.#decide({ type: 'timeout', id });
        break;
      }
    }
  }

  #decide(event: Event): void {
    const [next, actions] = decide(this.#state as State, event);
    this.#state = next;
    for (const action of actions) this.#expect(action);
  }

  #expect(action: Action): void {
    if (action.type === 'log') this.#predicted.push(textOf(action.line));
    if (action.type === 'exit') this.#exit = action.code;
    // A STOP is not for the command to report; nor is what comes when it has ended.
    if (action.type === 'kill' && action.n !== SIGSTOP && !this.#state?.ended) this.#owe(action.n, 1);
  }

  async #until(reached: () => boolean, what: string): Promise<void> {
    await waitUntil(reached, () => `${what}\n${this.#describe()}`);
  }

  #describe(): string {
    const left = { options: this.#options, terminal: this.#terminal, sent: this.#sent, predicted: this.#predicted };
    const owed = [...this.#owed].filter(([, count]) => count !== 0);
    return JSON.stringify({ ...left, log: this.#log, owed, orphans: [...this.#left], reaped: [...this.#reaped] });
  }
}

/** An exit status or, negated, a signal. */
const value = (end: Ending) => (end.kind === 'exited' ? end.code : 128 - exitStatus(end));

function randomOptions(random: Random, terminal: boolean): string[] {
  const options = ['-v'];
  if (!terminal && random.below(3) === 0) options.push('-c');
  for (let left = random.below(4); left > 0; left--) {
    const from = random.pick(SIGNALS).n;
    // A rewritten CONT would leave the command stopped.
    if (from !== SIGCONT) options.push('-r', `${from}:${random.pick([0, ...TARGETS])}`);
  }
  if (random.below(3) === 0) options.push('--delay', `USR1=${1 + random.below(200)}ms,RTMIN=5ms`);
  return options;
}

/** Calls back for each line of a stream. */
function lines(stream: NodeJS.ReadableStream | null, take: (line: string) => void): void {
  let rest = '';
  stream?.setEncoding('latin1');
  stream?.on('data', (text: string) => {
    const whole = (rest + text).split('\n');
    rest = whole.pop() ?? '';
    whole.forEach(take);
  });
}

const start = Date.now();
const end = start + SECONDS * 1000;
const running = new Set<Life>();

async function live(random: Random, terminal: boolean, work: (life: Life) => Promise<void>): Promise<void> {
  const life = new Life(random, terminal);
  running.add(life);
  await life.begin();
  await work(life);
  await life.end();
  running.delete(life);
}

/** KiB that are its own, KiB that are pages of its file, and how many open files. */
const holdings = (pid: number) => ({
  own: statusKib(pid, 'RssAnon'),
  file: statusKib(pid, 'RssFile'),
  fds: readdirSync(`/proc/${pid}/fd`).length,
});

/** One life for all the time. */
async function longLife(): Promise<string> {
  let result = '';
  await live(seeded(SEED), false, async (life) => {
    const workUntil = async (time: number) => {
      while (Date.now() < time) await life.step();
    };
    // The first minute is for getting warm: Node's pages come in when they are first used.
    await workUntil(start + Math.min(60_000, SECONDS * 500));
    const before = holdings(life.pid1);
    await workUntil(end);
    const after = holdings(life.pid1);
    const own = after.own - before.own;
    const file = after.file - before.file;
    const fds = after.fds - before.fds;
    const children = childrenOf(life.pid1).length;
    const growth = `grew by ${own + file} KiB, ${own} of its own and ${file} of its file`;
    if (own + file >= 2048 || fds !== 0 || children !== 1) {
      throw new Surprise(`RSS ${growth}, open files by ${fds}; ${children - 1} children left`);
    }
    result = `RSS of the life that lasted all the time ${growth}; no open file and no zombie more`;
  });
  return result;
}

/** One short life after the other. */
async function shortLives(): Promise<void> {
  for (let nth = 1; Date.now() < end; nth++) {
    const random = seeded(SEED + nth);
    await live(random, nth % 3 === 0, async (life) => {
      for (let left = 5 + random.below(60); left > 0; left--) await life.step();
    });
  }
}

console.log(`SEED=${SEED} SOAK=${SECONDS}`);
try {
  const [memoryResult] = await Promise.all([longLife(), shortLives()]);
  const { lives, onTerminal, signals, bursts, stops, orphans, lines } = counts;
  const figures = [
    `${Math.round((Date.now() - start) / 60_000)} minutes as PID 1, ${lives} lives, ${onTerminal} of them on a terminal: every event as predicted`,
    `${signals} signals, ${bursts} bursts, ${stops} stops and ${orphans} orphans; ${lines} lines compared`,
    memoryResult,
  ];
  for (const text of figures) console.log(text);
  writeFileSync('build/test/soak.txt', figures.map((text) => `The long run\t${text}\n`).join(''));
} catch (error) {
  console.error(`SEED=${SEED}`, error);
  for (const life of running) life.kill();
  process.exitCode = 1;
}
