/**
 * What is run once before the freeze: every path of the program, so that V8 has compiled what a start, a
 * signal and an end need, and nothing is compiled in a container.
 */
import { setFlagsFromString } from 'node:v8';
import { EACCES, ENOENT, ENOEXEC, ENOTTY, ENXIO } from '../abi.ts';
import { EndOfRehearsal, enter, freeAllocated } from '../libc/ffi.ts';
import { writeRecord } from '../libc/record.ts';
import { forgetViews, initialStack, kernel } from './kernel.ts';
import {
  CATATONIT,
  COMMAND_LINES,
  LIFE,
  ON_TERMINAL,
  ORDINARY,
  ORPHAN,
  OWN_PID,
  type Scene,
  TINI,
  VARIABLES,
  words,
} from './scenes.ts';

type Perform = (words: readonly string[], variables: readonly string[], scene: Scene) => void;

const performer =
  (wake: () => never): Perform =>
  (words, variables, scene) => {
    freeAllocated();
    const environment = ['PATH=/usr/bin:/bin', 'HOME=/', ...variables];
    const [argv, envp] = initialStack(words, environment);
    const [argc, envc] = [words.length, environment.length];
    writeRecord({
      pid: scene.pid ?? OWN_PID,
      parent: 0,
      argc,
      argv,
      envc,
      envp,
      blocked: 0n,
      ignored: scene.ignored ?? 0n,
    });
    const complaints: string[] = [];
    enter(kernel(scene, (text) => complaints.push(text)));
    try {
      wake();
    } catch (error) {
      if (!(error instanceof EndOfRehearsal)) throw error;
    } finally {
      enter(undefined);
    }
    if (complaints.length > 0) throw new Error(`${words.join(' ')}: ${complaints.join('')}`);
  };

const collectGarbage = (globalThis as unknown as { gc(options?: object): void }).gc; // --expose-gc

/**
 * Rehearses all of it. What it leaves behind is garbage, and the record, which the thaw writes anew.
 *
 * @param wake what each thawed process runs
 * @returns a short and ordinary life, on the stage
 */
export function rehearse(wake: () => never): () => void {
  const once = performer(wake);
  const perform: Perform = (...of) => {
    once(...of);
    collectGarbage({ type: 'minor' });
  };
  for (const line of COMMAND_LINES) {
    perform(words('/usr/bin/dumb-init', line), [], { happenings: LIFE });
    perform(words('dumb-init', line), [], { ...ON_TERMINAL, inChild: ENOENT });
  }
  for (const pid of [OWN_PID, ORPHAN]) {
    perform(['dumb-init', '-v', 'true'], [], { pid, terminal: true, happenings: LIFE });
    perform(['dumb-init', '-v', '--wait-all', 'true'], [], { pid, happenings: LIFE, inSession: ENOTTY });
    perform(['dumb-init', '--wait-all', '--kill-after=0s', '--warn-zombies', 'true'], [], { pid, happenings: LIFE });
    perform(['dumb-init', '--wait-all', '--pause'], [], { pid, happenings: LIFE });
    perform(['tini', 'true'], [], { pid, happenings: LIFE });
    perform(['catatonit', 'true'], ['CATATONIT_DEBUG=1'], { pid, happenings: LIFE, failing: { open: ENXIO } });
  }
  for (const variables of VARIABLES) perform(['dumb-init', 'true'], variables, { happenings: LIFE });
  for (const name of ['run_in_child', 'chdir', 'write', 'close_range']) {
    perform(['dumb-init', '-v', 'true'], [], { failing: { [name]: ENOENT }, happenings: LIFE });
  }
  for (const failing of [{ poll: 0 }, { poll: 0, send: ENOENT }]) {
    perform(['dumb-init', '-v', 'true'], [], { failing, happenings: LIFE });
  }
  for (const errno of [ENOENT, ENOTTY, EACCES, ENOEXEC]) {
    for (const argv0 of ['dumb-init', 'tini', 'catatonit']) {
      perform([argv0, '-v', 'true'], [], { inChild: errno, happenings: LIFE });
      perform([argv0, './true', 'a'], [], { inChild: errno, happenings: LIFE });
    }
  }
  perform(['dumb-init', 'true'], [], { ignored: 0xffffffffn });
  perform(['dumb-init', '--keep-ignored', 'true'], [], { ignored: 0xffffffffn });
  for (const [argv0, lines, variables] of [
    ['tini', TINI, ['TINI_VERBOSITY=3', 'TINI_SUBREAPER=', 'TINI_KILL_PROCESS_GROUP=']],
    ['catatonit', CATATONIT, ['CATATONIT_DEBUG=1', `LISTEN_PID=${OWN_PID}`]],
  ] as const) {
    for (const line of lines) {
      for (const environment of [[], variables]) {
        perform(words(argv0, line), environment, { happenings: LIFE });
        perform(words(argv0, line), environment, { terminal: true, inChild: ENXIO });
      }
    }
  }
  for (let i = 0; i < 5; i++) {
    perform(['dumb-init', '--', 'true'], [], { happenings: ORDINARY });
  }
  forgetViews();
  setFlagsFromString('--compact-on-every-full-gc');
  for (let i = 0; i < 3; i++) collectGarbage({ type: 'major', flavor: 'last-resort' });
  // What the collection has cleared of V8's caches is filled again by what is most common; then the young
  // generation is made empty, which clears none.
  const ordinaryLife = () => once(['dumb-init', '--', 'true'], [], { happenings: ORDINARY.slice(-9) });
  for (let i = 0; i < 3; i++) ordinaryLife();
  for (let i = 0; i < 2; i++) collectGarbage({ type: 'minor' });
  // Node's pool for small Buffers is memory as malloc has had it, with what was there before.
  new Uint8Array(Buffer.from(' ').buffer).fill(0);
  return ordinaryLife;
}
