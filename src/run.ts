/** Wiring only: what a container runs, from the command line to the end. */
import { begin, follow } from './begin.ts';
import { Events } from './events.ts';
import { explain } from './explain.ts';
import { nextDead } from './libc/children.ts';
import { now } from './libc/clock.ts';
import { Crowd } from './libc/crowd.ts';
import { EndOfRehearsal, strsignal } from './libc/ffi.ts';
import { write } from './libc/output.ts';
import { procIsOurs, stat } from './libc/proc.ts';
import { processImage } from './libc/process-image.ts';
import { record } from './libc/record.ts';
import { exit } from './libc/self.ts';
import { isPending, nextSignal } from './libc/signal-source.ts';
import { terminal } from './libc/terminal.ts';
import { live } from './life.ts';
import { type Format, formatter } from './log.ts';
import * as messages from './messages.ts';
import { lineWriter, perform, signalEvent, takeStep } from './perform.ts';
import { personalityOf } from './personalities/index.ts';
import { SIGCHLD } from './signals.ts';
import type { Line } from './voice.ts';

/** So many milliseconds after the start memory is given back: a shorter life does not pay for that. */
const SETTLING = 1000;

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Says how lines are written from now on. @returns what makes of a line what is written */
type Speak = (format: Format) => (line: Line) => string;

/** The program, in a process of which there is a record. */
export function run(): never {
  const { pid } = record();
  let formatted = formatter(undefined, pid, Date.now);
  const speak: Speak = (format) => {
    formatted = formatter(format, pid, Date.now);
    return formatted;
  };
  try {
    start(speak);
  } catch (error) {
    if (error instanceof EndOfRehearsal) throw error;
    write(2, formatted(messages.unableToStart(textOf(error))));
    exit(1);
  }
}

function start(speak: Speak): never {
  const { pid } = record();
  const image = processImage();
  const facts = { pid, describe: strsignal, words: image.words };
  const personality = personalityOf(image.words[0] ?? '');
  const parsed = personality.parse(image.words, image.environment, facts);
  if (parsed.kind === 'usageError') {
    write(2, speak(parsed.logFormat)(messages.usageError(parsed.text, parsed.status)));
    exit(parsed.status);
  }
  if (parsed.kind !== 'run') {
    write(parsed.stdout ? 1 : 2, parsed.text);
    exit(parsed.status);
  }
  const { options } = parsed;
  if (options.explain) {
    write(1, explain(options, personality, { ...facts, terminal: terminal() }));
    exit(0);
  }

  const say = lineWriter(speak(options.logFormat));
  const report = (error: unknown) => {
    if (error instanceof EndOfRehearsal) throw error;
    try {
      say(messages.internalError(textOf(error)));
    } catch {
      // Nobody is left to be told.
    }
  };
  const steps = begin(options, personality, facts);
  const beginning = follow(steps, (step) => takeStep(step, image, say), report);
  if ('status' in beginning) exit(beginning.status);

  const { state, early } = beginning;
  const identify = personality.namesOrphans && state.voice.orphan !== undefined && procIsOurs(pid);
  const source = { now, nextSignal: (ms?: number) => signalOf(nextSignal(ms)), nextDead, identity: stat };
  const events = new Events(source, early, identify);
  events.startTimer('settled', SETTLING);
  if (!isPending(SIGCHLD)) events.reapInherited(state.child); // else its signal leads to all of them
  const crowd = new Crowd();
  live(state, { next: () => events.next(), perform: (action) => perform(action, events, crowd, say), report });
}

const signalOf = (received: ReturnType<typeof nextSignal>) => received && signalEvent(received);
