/** What parser, beginning and policy promise, on paper: for a command line, and a command that ends by itself. */
import { ENOENT, ENOTTY, ENXIO } from '../../src/abi.ts';
import { type Answer, type Beginning, begin, type Command, follow, type Step } from '../../src/begin.ts';
import { decide } from '../../src/decide.ts';
import type { Options } from '../../src/options.ts';
import type { Personality } from '../../src/personality.ts';
import { SIGCHLD } from '../../src/signals.ts';
import type { Event } from '../../src/state.ts';
import { type Failure, type Line, textOf } from '../../src/voice.ts';
import type { Result } from './processes.ts';

export const NO_SUCH_FILE: Failure = { errno: ENOENT, text: 'No such file or directory' };
const NOT_A_TERMINAL: Failure = { errno: ENOTTY, text: 'Inappropriate ioctl for device' };
const NO_SUCH_DEVICE: Failure = { errno: ENXIO, text: 'No such device or address' };

/** Where the init runs. */
export interface Scene {
  pid: number;
  /** The PID of the command's process. */
  child: number;
  /** Standard input is a terminal, whose session the init leads. */
  terminal?: boolean;
  /** Why the command can't be executed, if it can't. */
  exec?: (command: Command) => Failure | undefined;
}

const describe = (n: number) => ({ 2: 'Interrupt', 9: 'Killed', 15: 'Terminated' })[n] ?? '';

/** The lines of a beginning, how the command is started, and the life that follows. */
export function beginOnPaper(
  options: Options,
  personality: Personality,
  words: readonly string[],
  { pid, child, terminal = false, exec }: Scene,
): { lines: Line[]; command: Command | undefined; beginning: Beginning } {
  const lines: Line[] = [];
  let command: Command | undefined;
  const missing = terminal ? undefined : NOT_A_TERMINAL;
  const take = (step: Step): Answer => {
    switch (step.type) {
      case 'say':
        lines.push(step.line);
        return undefined;
      case 'askWhetherReaper':
        return pid === 1 || options.subreaper;
      case 'detach':
        return { failure: missing, leader: terminal, early: [] };
      case 'spawn':
        command = step.command;
        return {
          pid: child,
          takeTerminal: command.session === 'own, with the terminal' ? missing : undefined,
          openTerminal: command.foreground === '/dev/tty' && missing ? NO_SUCH_DEVICE : undefined,
          comeToForeground: command.foreground ? missing : undefined,
          exec: exec?.(command),
        };
      default:
        return undefined;
    }
  };
  const facts = { pid, describe, words };
  const beginning = follow(begin(options, personality, facts), take, (error) => {
    throw error;
  });
  return { lines, command, beginning };
}

/** What a command writes to standard output, and its wait status. */
export interface Outcome {
  stdout: string;
  status: number;
}

/**
 * What is promised for a command line (bytes as latin1).
 *
 * @param outcome what comes of the command, whose words these are
 */
export function promised(
  personality: Personality,
  words: readonly string[],
  environment: (name: string) => string | undefined,
  scene: Scene,
  outcome: (words: readonly string[], command: Command, options: Options) => Outcome,
): Result {
  const parsed = personality.parse(words, environment, { pid: scene.pid, describe });
  if (parsed.kind !== 'run') {
    const [stdout, stderr] = 'stdout' in parsed ? [parsed.text, ''] : ['', parsed.text];
    return { status: parsed.status, stdout, stderr };
  }
  const { options } = parsed;
  const result = { status: 0, stdout: '', stderr: '' };
  const say = (line: Line) => {
    result[typeof line !== 'string' && line.stdout ? 'stdout' : 'stderr'] += textOf(line);
  };
  const { lines, command, beginning } = beginOnPaper(options, personality, words, scene);
  lines.forEach(say);
  if ('status' in beginning || !command) throw new Error('on paper every command line starts something');
  const failure = scene.exec?.(command);
  const { statuses } = command;
  const { stdout, status } = failure
    ? { stdout: '', status: (failure.errno === ENOENT ? statuses.notFound : statuses.denied) << 8 }
    : outcome(command.operands?.map((i) => words[i] ?? '') ?? words.slice(command.first), command, options);
  result.stdout += stdout;
  const events: Event[] = [
    { type: 'signal', n: SIGCHLD },
    { type: 'died', pid: scene.child, status },
    { type: 'drained', childless: true },
  ];
  let { state } = beginning;
  for (const event of events) {
    const [next, actions] = decide(state, event);
    state = next;
    for (const action of actions) {
      if (action.type === 'log') say(action.line);
      if (action.type === 'exit') return { ...result, status: action.code };
    }
  }
  throw new Error('the end of the command was not the end');
}
