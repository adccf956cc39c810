/**
 * What --explain prints: the steps of the beginning and what `decide` says, in words. It is read off the same paper
 * from which everything is done, so that it can't differ from what happens.
 */
import { begin, type Facts, follow, type Step } from './begin.ts';
import { decide } from './decide.ts';
import * as messages from './messages.ts';
import type { Options } from './options.ts';
import type { Personality } from './personality.ts';
import { ALL_SIGNALS, SIGKILL, SIGSTOP, signalName } from './signals.ts';
import type { State } from './state.ts';

/** Where we run. */
export interface Surroundings extends Facts {
  /** We lead our session. */
  readonly leader: boolean;
  /** Standard input is a terminal. */
  readonly terminal: boolean;
}

/** Of a command on paper: of the target of a signal only its sign is looked at. */
const COMMAND = 2;

type StepsTaken = { [T in Step['type']]?: Step & { type: T } };

/** The steps of a beginning at which nothing fails, and the life that follows. */
function onPaper(options: Options, personality: Personality, where: Surroundings): { taken: StepsTaken; state: State } {
  const taken: StepsTaken = {};
  const take = (step: Step) => {
    Object.assign(taken, { [step.type]: step });
    if (step.type === 'detach') return { leader: where.leader, early: [] };
    return step.type === 'spawn' ? { pid: COMMAND } : undefined;
  };
  const beginning = follow(begin(options, personality, where), take, () => {});
  if ('status' in beginning) throw new Error('on paper every command can be started');
  const { state } = beginning;
  return { taken, state: { ...state, voice: {}, handoff: [], wishes: { ...state.wishes, killAfter: new Map() } } };
}

/** @returns bytes as latin1 */
export function explain(options: Options, personality: Personality, where: Surroundings): string {
  const { taken, state } = onPaper(options, personality, where);
  const lines: [topic: string, text: string][] = [['process', `PID ${where.pid}: ${orphansFate(taken, where)}`]];
  const command = taken.spawn?.command;
  lines.push(['command', command ? where.words.slice(command.first).join(' ') : 'none: it waits for INT or TERM']);
  if (command) {
    const { waitAll, killAfter, exitMap } = options;
    const inherited = command.session === 'none';
    lines.push(
      ['session', inherited ? 'the command stays in ours' : 'the command gets one of its own'],
      ['terminal', terminalFate(taken, where)],
      [
        'signals',
        command.keepIgnored ? 'ignored and blocked as the caller has them' : 'at their defaults at its start',
      ],
      ['status', 'that of the command, or 128 + the signal that killed it'],
    );
    for (const [from, to] of exitMap) lines.push(['', `${from} becomes ${to}`]);
    lines.push(['at its end', endFate(state)]);
    const who = waitAll ? 'everybody' : 'the command';
    for (const [n, ms] of killAfter) {
      lines.push([`after a ${signalName(n).replace(/^SIG/, '')}`, `${ms} ms until ${who} has ended, then KILL to all`]);
    }
  }
  const death = taken.setParentDeathSignal;
  if (death) lines.push(["parent's death", `${signalName(death.n)} comes`]);

  const width = Math.max(...lines.map(([topic]) => topic.length)) + 2;
  const facts = lines.map(([topic, text]) => `${topic.padEnd(width)}${text}\n`).join('');
  return `${messages.version()}${facts}\nA signal that comes:\n${signalTable(state)}`;
}

function orphansFate({ becomeSubreaper }: StepsTaken, { pid }: Surroundings): string {
  if (pid === 1) return 'every orphan of the container becomes its child and is reaped';
  return becomeSubreaper
    ? 'as a subreaper it gets and reaps the orphans of the command'
    : 'orphans go to another process, unless --subreaper is given';
}

function terminalFate({ detach }: StepsTaken, { terminal, leader }: Surroundings): string {
  if (!terminal) return 'standard input is none';
  if (!detach) return 'it stays as it is';
  return leader
    ? 'it is given up, and becomes that of the command'
    : 'it is left alone, or becomes that of the command if it is free';
}

/** What follows when the command has ended. */
function endFate(state: State): string {
  const [, actions] = decide(state, { type: 'died', pid: COMMAND, status: 0 });
  for (const action of actions) {
    const name = 'n' in action ? signalName(action.n).replace(/^SIG/, '') : '';
    if (action.type === 'killAll') return `${name} to all that is left, and the wait until it is gone`;
    if (action.type === 'kill') return `${name} to what is left of its process group, and it exits`;
  }
  return 'it exits';
}

/** A line for each signal, made of what would be done. */
function signalTable(state: State): string {
  const rows = ALL_SIGNALS.map((n) => {
    const effects = n === SIGKILL || n === SIGSTOP ? ['not for a process to take'] : effectsOf(n, state);
    return `${String(n).padStart(4)} ${signalName(n).padEnd(12)} ${effects.join(', then ') || 'nothing'}\n`;
  });
  return rows.join('');
}

/** @param held how long the signal has been held back, in words */
function effectsOf(n: number, state: State, held = ''): string[] {
  const [next, actions] = decide(state, held ? { type: 'timeout', id: n } : { type: 'signal', n });
  return actions.flatMap((action) => {
    switch (action.type) {
      case 'kill': {
        const what = action.n === n ? 'it' : signalName(action.n);
        return `${held}${what} goes to the ${action.target < 0 ? 'process group of the command' : 'command alone'}`;
      }
      case 'stopSelf':
        return 'dumb-init stops itself';
      case 'reap':
        return 'the dead are reaped';
      case 'startTimer':
        return effectsOf(n, next, `after ${action.ms} ms `);
      case 'exit':
        return `dumb-init ends with status ${action.code}`;
      default:
        return [];
    }
  });
}
