/**
 * What --explain prints: the steps of the beginning and what `decide` says, in words. It is read off the same paper
 * from which everything is done, so that it can't differ from what happens.
 */
import { begin, type Facts, follow, type Step } from './begin.ts';
import { decide } from './decide.ts';
import * as messages from './messages.ts';
import type { Options } from './options.ts';
import type { Personality } from './personality.ts';
import { ALL_SIGNALS, SIGINT, SIGKILL, SIGQUIT, SIGSTOP, SIGTSTP, SIGWINCH, signalName } from './signals.ts';
import type { State } from './state.ts';

/** Where we run. */
export interface Surroundings extends Facts {
  /**
   * What the terminal on standard input is to us: none; it controls the session that we lead; it controls our session;
   * it controls another, or none.
   */
  readonly terminal: 'none' | 'led' | 'controlling' | 'other';
}

/** Of a command on paper: of the target of a signal only its sign is looked at. */
const COMMAND = 2;

type StepsTaken = { [T in Step['type']]?: Step & { type: T } };

/** The steps of a beginning at which nothing fails, and the life that follows. */
function onPaper(options: Options, personality: Personality, where: Surroundings): { taken: StepsTaken; state: State } {
  const taken: StepsTaken = {};
  const take = (step: Step) => {
    Object.assign(taken, { [step.type]: step });
    if (step.type === 'detach') return { leader: where.terminal === 'led', early: [] };
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
  lines.push([
    'command',
    command ? where.words.slice(command.first).map(messages.quoted).join(' ') : 'none: it waits for INT or TERM',
  ]);
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

  return `${messages.version()}${columns(lines)}\nA signal that comes:\n${signalTable(state, taken, where)}`;
}

function orphansFate({ becomeSubreaper }: StepsTaken, { pid }: Surroundings): string {
  if (pid === 1) return 'every orphan of the container becomes its child and is reaped';
  return becomeSubreaper
    ? 'as a subreaper it gets and reaps the orphans of the command'
    : 'orphans go to another process, unless --subreaper is given';
}

function terminalFate({ spawn, detach }: StepsTaken, { terminal }: Surroundings): string {
  if (terminal === 'none') return 'standard input is none';
  if (spawn?.command.session === 'own') return 'it stays as it is, and is not that of the command';
  if (!detach) return 'it stays as it is';
  switch (terminal) {
    case 'led':
      return `it becomes that of the command, to which it sends ${FROM_TERMINAL.map(signalName).join(', ')} itself`;
    case 'controlling':
      return 'it stays with the session that has it, and is not that of the command';
    case 'other':
      return 'it becomes that of the command, if no session has it';
  }
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

/** What a terminal sends to the process group in its foreground (termios(3), ioctl_tty(2)). */
const FROM_TERMINAL = [SIGINT, SIGQUIT, SIGTSTP, SIGWINCH];

/** A line for all signals with which the same is done; the last for most of them. */
function signalTable(state: State, { detach }: StepsTaken, { terminal }: Surroundings): string {
  const groups = new Map<string, number[]>();
  for (const n of ALL_SIGNALS) {
    const effect = n === SIGKILL || n === SIGSTOP ? 'not for a process to take' : effectsOf(n, state).join(', then ');
    const sent = detach && terminal === 'led' && FROM_TERMINAL.includes(n);
    const text = effect || (sent ? 'nothing; the terminal sends its own to the command' : 'nothing');
    groups.set(text, [...(groups.get(text) ?? []), n]);
  }
  const most = Math.max(...[...groups.values()].map(({ length }) => length));
  const [usual = ''] = [...groups].find(([, { length }]) => length === most) ?? [];
  groups.delete(usual);
  const rows = [...groups].map(([text, numbers]) => [numbers.map((n) => `${signalName(n)} (${n})`).join(', '), text]);
  return columns([...rows, [groups.size === 0 ? 'any' : 'any other', usual]]);
}

function columns(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([left = '']) => left.length)) + 2;
  return rows.map(([left = '', right]) => `${left.padEnd(width)}${right}\n`).join('');
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
