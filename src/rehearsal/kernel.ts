/** The stage of the rehearsal: a few lines that stand for the kernel. No process, signal or file descriptor is touched. */
import {
  ENOTTY,
  SI_CODE_OFFSET,
  SI_PID_OFFSET,
  SI_STATUS_OFFSET,
  SI_USER,
  SIZEOF_POINTER,
  SIZEOF_SIGINFO_T,
} from '../abi.ts';
import { allocate, EndOfRehearsal, memoryAt, type Stage, words64 } from '../libc/ffi.ts';
import { STEP, STEP_WORDS } from '../libc/step-layout.ts';
import { SIGCHLD } from '../signals.ts';
import { COMMAND, type Death, type Happening, OWN_PID, type Scene, SOMEBODY } from './scenes.ts';

const NANOSECONDS = 1_000_000_000n;

/** Views of the program's own buffers, which are always the same. */
const views = new Map<bigint, Buffer>();
function view(address: bigint): Buffer {
  const known = views.get(address) ?? memoryAt(address, SIZEOF_SIGINFO_T).bytes;
  views.set(address, known);
  return known;
}

/** What the program has written to can be forgotten when all is rehearsed. */
export const forgetViews = (): void => views.clear();

/**
 * The kernel in such a scene.
 *
 * @param complain is told of an error that the program reports of itself
 */
export function kernel(scene: Scene, complain: (text: string) => void): Stage {
  const { pid = OWN_PID, terminal, leader, inChild, inSession, failing = {}, happenings = [] } = scene;
  const queue = [...happenings];
  const zombies: Death[] = [];
  let time = NANOSECONDS;
  const putInt = (address: bigint, offset: number, value: number) => view(address).writeInt32LE(value, offset);

  const take = (set: bigint, info: bigint, until: bigint): number => {
    const awaited = view(set).readBigUInt64LE(0);
    const number = (happening: Happening) => ('dead' in happening ? SIGCHLD : happening.n);
    const i = queue.findIndex((happening) => awaited & (1n << BigInt(number(happening) - 1)));
    const [next] = i < 0 ? [] : queue.splice(i, 1);
    if (!next) {
      if (until === 0n) throw new EndOfRehearsal();
      const bytes = view(until);
      time += bytes.readBigInt64LE(0) * NANOSECONDS + bytes.readBigInt64LE(8);
      return -1;
    }
    if ('dead' in next) zombies.push(next);
    putInt(info, SI_CODE_OFFSET, SI_USER);
    putInt(info, SI_PID_OFFSET, 'dead' in next ? next.dead : next.sender);
    return number(next);
  };

  const look = (info: bigint): number => {
    const zombie = zombies[0];
    if (!zombie) return -10; // ECHILD
    putInt(info, SI_PID_OFFSET, zombie.dead);
    putInt(info, SI_CODE_OFFSET, zombie.code);
    putInt(info, SI_STATUS_OFFSET, zombie.status);
    return 0;
  };

  const end = (): never => {
    throw new EndOfRehearsal();
  };
  const ofTerminal = () => (terminal ? 0 : -ENOTTY);
  const answers: Record<string, (...values: never[]) => number | bigint> = {
    _exit: end,
    sigsuspend: end,
    run_in_child: (steps: bigint) => {
      if (inChild) failSteps(steps, 0, inChild);
      if (inSession) failSteps(steps, 1, inSession);
      return COMMAND;
    },
    getppid: () => OWN_PID,
    getsid: () => (leader ? pid : SOMEBODY),
    ioctl: ofTerminal,
    tcgetattr: ofTerminal,
    tcgetsid: () => (leader ? pid : -ENOTTY),
    open: () => 3,
    close: () => 0,
    close_range: () => 0,
    poll: () => 1,
    send: (_fd, _bytes, size: bigint) => Number(size),
    write: (_fd, bytes: bigint, size: bigint) => {
      const text = memoryAt(bytes, Number(size)).bytes.toString('latin1');
      if (/Unable to start|Internal error/.test(text)) complain(text);
      return Number(size);
    },
    chdir: () => 0,
    prctl: () => 0,
    madvise: () => 0,
    sigpending: () => 0,
    signal: () => 0n,
    kill: () => 0,
    clock_gettime: (_clock, into: bigint) => {
      const bytes = view(into);
      bytes.writeBigInt64LE(time / NANOSECONDS, 0);
      bytes.writeBigInt64LE(time % NANOSECONDS, 8);
      return 0;
    },
    sigtimedwait: take,
    waitid: (_type, _id, info: bigint) => look(info),
    waitpid: () => zombies.shift()?.dead ?? 0,
  };
  return (name, values) => {
    const error = failing[name];
    if (error !== undefined) return -error;
    return answers[name]?.(...(values as never[]));
  };
}

/** The first steps but for `from` have failed (src/libc/spawn.ts): as many as there always are. */
function failSteps(steps: bigint, from: number, errno: number): void {
  const fields = words64(memoryAt(steps, 6 * STEP_WORDS * SIZEOF_POINTER));
  for (let i = from; i < 6; i++) fields[i * STEP_WORDS + STEP.result] = BigInt.asUintN(64, BigInt(-errno));
}

/** The initial stack as execve(2) lays it down: addresses of argv and envp. */
export function initialStack(words: readonly string[], variables: readonly string[]): [argv: bigint, envp: bigint] {
  const strings = [...words, ...variables];
  const text = allocate(strings.reduce((size, string) => size + string.length + 1, 1));
  const pointers = allocate((strings.length + 2) * SIZEOF_POINTER);
  const list = words64(pointers);
  let at = 0;
  for (const [i, string] of strings.entries()) {
    list[i < words.length ? i : i + 1] = text.address + BigInt(at);
    at += text.bytes.write(`${string}\0`, at, 'latin1');
  }
  return [pointers.address, pointers.address + BigInt((words.length + 1) * SIZEOF_POINTER)];
}
