/** What --explain prints. The signal table is what `decide` says, so that it can't differ from what happens. */
import { decide, initialState } from './decide.ts';
import * as messages from './messages.ts';
import type { Options } from './options.ts';
import { ALL_SIGNALS, SIGKILL, SIGSTOP, signalName } from './signals.ts';

/** Where we run. */
export interface Surroundings {
  readonly pid: number;
  /** We lead our session. */
  readonly leader: boolean;
  /** Standard input is a terminal. */
  readonly terminal: boolean;
}

/** @param words the command and its arguments, bytes as latin1 */
export function explain(options: Options, words: readonly string[], { pid, leader, terminal }: Surroundings): string {
  const { singleChild, subreaper, waitAll, killAfter, exitMap, parentDeathSignal, keepIgnored, noTtyHandoff } = options;
  const lines: [topic: string, text: string][] = [];
  const orphans =
    pid === 1
      ? 'every orphan of the container becomes its child and is reaped'
      : subreaper
        ? 'as a subreaper it gets and reaps the orphans of the command'
        : 'orphans go to another process, unless --subreaper is given';
  lines.push(['process', `PID ${pid}: ${orphans}`]);
  lines.push(['command', options.pause ? 'none: it waits for INT or TERM' : words.join(' ')]);
  if (!options.pause) {
    lines.push(['session', singleChild ? 'the command stays in ours' : 'the command gets one of its own']);
    lines.push(['terminal', terminalFate(terminal, leader, singleChild || noTtyHandoff)]);
    lines.push([
      'signals',
      keepIgnored ? 'ignored and blocked as the caller has them' : 'at their defaults at its start',
    ]);
    lines.push(['status', 'that of the command, or 128 + the signal that killed it']);
    for (const [from, to] of exitMap) lines.push(['', `${from} becomes ${to}`]);
    lines.push(['at its end', endFate(options)]);
    if (killAfter !== undefined) {
      lines.push([
        'after a TERM',
        `${killAfter} ms${waitAll ? ' until everybody' : ' until the command'} has ended, then KILL to all`,
      ]);
    }
  }
  if (parentDeathSignal !== 0) lines.push(["parent's death", `${signalName(parentDeathSignal)} comes`]);

  const width = Math.max(...lines.map(([topic]) => topic.length)) + 2;
  const facts = lines.map(([topic, text]) => `${topic.padEnd(width)}${text}\n`).join('');
  return `${messages.version()}${facts}\nA signal that comes:\n${signalTable(options)}`;
}

function terminalFate(terminal: boolean, leader: boolean, kept: boolean): string {
  if (!terminal) return 'standard input is none';
  if (kept) return 'it stays as it is';
  return leader
    ? 'it is given up, and becomes that of the command'
    : 'it is left alone, or becomes that of the command if it is free';
}

function endFate({ waitAll, singleChild }: Options): string {
  if (waitAll) return 'TERM to all that is left, and the wait until it is gone';
  return singleChild ? 'it exits' : 'TERM to what is left of its process group, and it exits';
}

/** A line for each signal, made of what would be done. */
function signalTable(options: Options): string {
  const state = initialState({
    child: options.pause ? 0 : 2, // any: only the sign of a target is looked at
    setsid: !options.singleChild,
    rewrites: options.rewrites,
    detachedAsLeader: false,
    voice: {},
    wishes: { ...options, killAfter: undefined },
  });
  const rows = ALL_SIGNALS.map((n) => {
    const effects = n === SIGKILL || n === SIGSTOP ? ['not for a process to take'] : effectsOf(n);
    return `${String(n).padStart(4)} ${signalName(n).padEnd(12)} ${effects.join(', then ') || 'nothing'}\n`;
  });
  return rows.join('');

  function effectsOf(n: number, from = state, held = ''): string[] {
    const [next, actions] = decide(from, held ? { type: 'timeout', id: n } : { type: 'signal', n });
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
}
