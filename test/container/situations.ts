/** How images use dumb-init: the Dockerfiles of this folder at work, whatever runs the containers. */
import type { Test } from 'tap';
import type { RunningContainer } from '../helpers/container.ts';

interface Situation {
  behaviour: string;
  image: string;
  /** In place of the CMD of the image. */
  command?: readonly string[];
  /** What is done to the container, each once it has printed this. */
  steps?: readonly (readonly [printed: string, signal: 'INT' | 'stop'])[];
  stdout: string;
  status: number;
}

const SITUATIONS: readonly Situation[] = [
  {
    behaviour: 'in an image with nothing but dumb-init and a program, the program is told to stop',
    image: 'empty',
    steps: [['ready\n', 'stop']],
    stdout: 'ready\n15\n',
    status: 0,
  },
  {
    behaviour: 'with ENTRYPOINT dumb-init, the exit status is that of the command',
    image: 'base',
    command: ['sh', '-c', 'echo PID 1 is $(cat /proc/1/comm); exit 7'],
    stdout: 'PID 1 is dumb-init\n',
    status: 7,
  },
  {
    behaviour: 'an image inherits the ENTRYPOINT of the one it is built on',
    image: 'inherits',
    steps: [['serving', 'stop']],
    stdout: 'serving, child of PID 1\nclosed\n',
    status: 7,
  },
  {
    behaviour: 'an ENTRYPOINT with --rewrite 2:3 turns INT into QUIT and leaves TERM alone',
    image: 'rewrite',
    steps: [
      ['ready\n', 'INT'],
      ['3\n', 'stop'],
    ],
    stdout: 'ready\n3\n15\n',
    status: 0,
  },
  {
    behaviour: 'a chain of two dumb-inits runs the command',
    image: 'chained',
    stdout: 'oh, hi\n',
    status: 0,
  },
  {
    behaviour: 'a chain of two dumb-inits hands the stop down',
    image: 'chained',
    command: ['signals', '1'],
    steps: [['ready\n', 'stop']],
    stdout: 'ready\n15\n',
    status: 0,
  },
  {
    behaviour: 'of a script with dumb-init in its first line, the part in the background is stopped too',
    image: 'shebang',
    steps: [['ready\n', 'stop']],
    stdout: 'ready\nbackground ended\nforeground ended\n',
    status: 3,
  },
  {
    behaviour: 'after a pre-start hook, the server that took the place of the shell is stopped in order',
    image: 'pre-start',
    steps: [['serving', 'stop']],
    stdout: 'prepared\nserving, child of PID 1\nclosed\n',
    status: 7,
  },
  {
    behaviour: 'a Python program that handles no signal is ended by a plain TERM',
    image: 'python',
    steps: [['busy\n', 'stop']],
    stdout: 'busy\n',
    status: 128 + 15,
  },
];

/**
 * @param launch starts a container of an image; without a command, of its own CMD
 * @param skip why no container can be run
 */
export function testSituations(
  t: Test,
  launch: (image: string, command?: readonly string[]) => Promise<RunningContainer>,
  skip: string | false = false,
): void {
  for (const { behaviour, image, command, steps = [], stdout, status } of SITUATIONS) {
    t.test(behaviour, { skip }, async (t) => {
      const container = await launch(image, command);
      for (const [printed, signal] of steps) {
        await container.prints(printed);
        const sent = await (signal === 'stop' ? container.stop() : container.kill(signal));
        t.equal(sent.status, 0, sent.stderr);
      }
      const result = await container.ended;
      t.equal(result.stdout, stdout);
      t.equal(result.status, status, result.stderr);
    });
  }
}
