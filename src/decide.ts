/**
 * All policy of a running init. Pure, and without a clock: it could run on paper.
 *
 * Theory of operation
 *
 *   begin.ts ends with a State. Then, for ever (life.ts):
 *
 *     event = what happens next                  events.ts: one signal, one death, one time that is up
 *     [state, actions] = decide(state, event)    here
 *     each action is done, in order              perform.ts
 *
 * Rules
 *
 *   1. Nothing is known but State and Event: no clock, no /proc, no memory of its own.
 *   2. An action has no answer. What comes of it comes as an event: `reap` leads to `died` and `drained`,
 *      `startTimer` to `timeout`.
 *   3. A dead process keeps its PID until `bury`. So a signal can be sent to the group of a dead command, and
 *      reaches nobody else. `bury` comes last, but for the words and the exit.
 *   4. The order of the tests is 1.2.5's: the terminal's hand-off, then SIGCHLD, then rewrite and forward. So is
 *      the order of the lines. What other inits do otherwise is in `rules`, what they say is in `voice`.
 *   5. After `exit` or `die` there is nothing.
 *
 *   event     | while the command runs                          | when it has ended (--wait-all, or `rules.drains`)
 *   --------- | ------------------------------------------------- | -------------------------------------------------
 *   signal    | CHLD: reap. Others: kill, after a rewrite, and    | the same, to all that is left with --wait-all
 *             | stopSelf for TSTP, TTIN, TTOU. HUP and CONT of    |
 *             | the hand-off: nothing. With --delay: startTimer.  |
 *             | What stops, with --kill-after: startTimer, too    |
 *   died      | of an orphan: bury. Of the command: TERM to its   | bury
 *             | group (--wait-all: killAll), bury, exit           |
 *   drained   | nothing                                           | exit, with --wait-all only if no child is left;
 *             |                                                   | killRest after the KILL of --kill-after
 *   timeout   | of a signal: as if it came now. `force`: killAll  | the same
 *             | with KILL. `settled`: giveBackMemory              |
 *
 * Without a command (--pause) CHLD reaps, and INT and TERM are the end: with --wait-all or --kill-after everybody is told
 * to stop first, and waited for. Other signals are nothing.
 */
import { SIGCHLD, SIGINT, SIGKILL, SIGTERM } from './signals.ts';
import type { Action, Event, State, TimerId } from './state.ts';
import type { Line } from './voice.ts';
import { ending, exitStatus } from './wait-status.ts';

/** @returns the state that follows, and what is to be done, in order */
export function decide(state: State, event: Event): [State, Action[]] {
  switch (event.type) {
    case 'signal':
      return onSignal(state, event.n, event.handoff === true);
    case 'died':
      return onDied(state, event);
    case 'drained':
      return onDrained(state, event.childless);
    case 'timeout':
      return onTimeout(state, event.id);
  }
}

function onSignal(state: State, n: number, ofHandoff: boolean): [State, Action[]] {
  const { voice, rules, wishes } = state;
  const actions = log(voice.received?.(n));
  if (ofHandoff && state.handoff.includes(n)) {
    const handoff = state.handoff.filter((awaited) => awaited !== n);
    return [{ ...state, handoff }, [...actions, ...log(voice.ignoringHandoff?.(n))]];
  }
  if (n === SIGCHLD) return [state, [...actions, { type: 'reap' }]];
  if (rules.fatal.has(n)) return [state, [...actions, { type: 'die', n }]];
  if (rules.ignored.has(n)) return [state, [...actions, ...log(voice.ignoring?.(n))]];
  const delay = wishes.delays.get(n);
  if (delay !== undefined) {
    // Further ones are merged, as a pending signal merges them.
    if (state.timers.has(n)) return [state, [...actions, ...log(voice.merging?.(n))]];
    const [next, timer] = startTimer(state, n, delay);
    return [next, [...actions, ...log(voice.delaying?.(n, delay)), ...timer]];
  }
  const [next, more] = passOn(state, n);
  return [next, actions.concat(more)];
}

function onTimeout(state: State, id: TimerId): [State, Action[]] {
  const next = { ...state, timers: new Set([...state.timers].filter((other) => other !== id)) };
  if (id === 'settled') return [next, [{ type: 'giveBackMemory' }]];
  if (id !== 'force') return passOn(next, id);
  return [{ ...next, forced: true }, [...log(state.voice.forcing?.()), killAll(state, SIGKILL)]];
}

/** A signal that has come from outside and is not held back any longer. */
function passOn(state: State, n: number): [State, Action[]] {
  if (state.child === 0) return passOnPaused(state, n);
  const actions = forward(state, n);
  if (state.rules.suspending.has(n)) actions.push(...log(state.voice.suspending?.()), { type: 'stopSelf' });
  const [next, timer] = startForceTimer({ ...state, passedOn: n }, n);
  return [next, timer.length === 0 ? actions : [...actions, ...timer]];
}

/** Without a command: the end, or the wait for all that is left, which is told to stop. */
function passOnPaused(state: State, n: number): [State, Action[]] {
  const sent = state.rewrites.get(n) ?? n;
  const ends = sent !== 0 && (n === SIGINT || sent === SIGINT || stops(state, n));
  if (!ends) return [state, []];
  const { wishes, voice } = state;
  const next: State = { ...state, passedOn: n };
  if (!wishes.waitAll && wishes.killAfter.size === 0) return [next, exit(next)];
  const leaving: State = { ...next, leaving: true, target: 'all' };
  const [later, timer] = startForceTimer(leaving, SIGTERM);
  const waiting = state.leaving ? [] : log(voice.waiting?.());
  return [later, [...forward(leaving, SIGTERM), ...waiting, ...timer, { type: 'reap' }]];
}

/** Whether a signal stops the container, as it came or as it is passed on. */
function stops({ rewrites, wishes }: State, n: number): boolean {
  const sent = rewrites.get(n) ?? n;
  return n === SIGTERM || sent === SIGTERM || wishes.killAfter.has(n) || wishes.killAfter.has(sent);
}

function onDied(state: State, { pid, status, who }: Event & { type: 'died' }): [State, Action[]] {
  const { voice, wishes, rules } = state;
  const end = ending(status);
  const actions = log(voice.reaped?.(pid, end));
  if (pid !== state.child || state.ended) {
    actions.push(...log(voice.orphan?.(pid, end, who)));
    return [state, [...actions, { type: 'bury', pid }]];
  }
  actions.push(...log(voice.commandEnded?.(end)));
  const ended: State = { ...state, ended: { pid, end, status: exitStatus(end) } };
  if (wishes.waitAll) {
    const rest: State = { ...ended, target: 'all' };
    const [next, timer] = startForceTimer(rest, SIGTERM);
    return [next, [...actions, ...forward(rest, SIGTERM), ...log(voice.waiting?.()), ...timer, { type: 'bury', pid }]];
  }
  // The group may have members left; the process itself is gone, and its PID may be anybody's.
  if (rules.terminatesGroup)
    actions.push(...forward(state, SIGTERM).filter(({ type }) => type !== 'kill' || state.target === 'group'));
  actions.push({ type: 'bury', pid });
  return [ended, rules.drains ? actions : [...actions, ...exit(ended)]];
}

function onDrained(state: State, childless: boolean): [State, Action[]] {
  const actions = log(state.voice.drained?.(childless));
  const waits = state.wishes.waitAll || state.leaving;
  if ((state.ended || state.leaving) && (childless || !waits)) return [state, [...actions, ...exit(state)]];
  // Who was started while the others were killed has become our child.
  return [state, state.forced ? [...actions, { type: 'killRest', target: commandTarget(state) }] : actions];
}

function forward(state: State, received: number): Action[] {
  const { voice } = state;
  const rewritten = state.rewrites.get(received);
  const n = rewritten ?? received;
  const actions = rewritten === undefined ? [] : log(voice.translating?.(received, n));
  if (n === 0) return actions.concat(log(voice.notForwarding?.(n)));
  const target = state.target === 'group' ? -state.child : state.child;
  const toStop = state.wishes.waitAll || state.leaving ? stops(state, received) : false;
  const kill: Action = {
    ...(state.target === 'all' ? killAll(state, n) : ({ type: 'kill', target, n } as const)),
    ...(toStop ? { toStop } : {}),
  };
  return actions.concat(kill, log(voice.forwarded?.(n))); // of less garbage than a spread
}

const killAll = (state: State, n: number): Action => ({ type: 'killAll', target: commandTarget(state), n });

/** The process group of the command counts only while the command keeps its number from being anybody else's. */
function commandTarget({ ended, grouped, child }: State): number {
  return ended || child === 0 ? 0 : grouped ? -child : child;
}

/** @param n the signal that has come */
function startForceTimer(state: State, n: number): [State, Action[]] {
  const { rewrites, wishes, forced } = state;
  const ms = wishes.killAfter.get(n) ?? wishes.killAfter.get(rewrites.get(n) ?? n);
  return ms === undefined || forced ? [state, []] : startTimer(state, 'force', ms);
}

/** One that runs already goes on as it is. */
function startTimer(state: State, id: TimerId, ms: number): [State, Action[]] {
  if (state.timers.has(id)) return [state, []];
  return [{ ...state, timers: new Set([...state.timers, id]) }, [{ type: 'startTimer', id, ms }]];
}

function exit({ voice, ended: command, wishes, passedOn, forced }: State): Action[] {
  const own = command?.status ?? 0;
  const code = wishes.exitMap.get(own) ?? own;
  const reason = { status: code, command, passedOn, forced };
  return [...(command ? log(voice.goodbye?.(own)) : []), ...log(voice.exiting?.(reason)), { type: 'exit', code }];
}

function log(line: Line | undefined): Action[] {
  return line === undefined ? [] : [{ type: 'log', line }];
}
