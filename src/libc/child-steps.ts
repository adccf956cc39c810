/**
 * What a child does before its exec, written down: a list of system calls, one after another. The guard has a child
 * run it (src/image/guard.c, run_in_child). The child shares our memory until then, so nothing of it is copied, and
 * what came of each step can be read afterwards.
 */
import { SIZEOF_POINTER, SYSTEM_CALLS } from '../abi.ts';
import { allocate, declareGuard, type Memory, words64 } from './ffi.ts';
import { STEP, STEP_WORDS } from './step-layout.ts';

/** One system call of the child. */
export interface ChildStep {
  readonly call: number;
  /** A step stands for the address of its result. */
  readonly arguments?: readonly (number | bigint | ChildStep)[];
  /** Only if that step has ended with this errno. */
  readonly only?: { readonly after: ChildStep; readonly errno: number };
  /** The next step follows after these errors too, `otherwise` after any other. */
  readonly goesOn?: ErrorSet;
  readonly otherwise?: ChildStep;
  /** Where it stands in the list, if it does. */
  place?: number;
}

/** Bit n for errno n, in two words; the last for all beyond too. */
export type ErrorSet = readonly [bigint, bigint];
export const ANY_ERROR: ErrorSet = [~0n, ~0n];

/** A set of these errors. */
export function errorSet(...errors: number[]): ErrorSet {
  let bits = 0n;
  for (const errno of errors) bits |= 1n << BigInt(errno);
  return [bits & 0xffff_ffff_ffff_ffffn, bits >> 64n];
}

const SIZEOF_STEP = STEP_WORDS * SIZEOF_POINTER;

/** The list in memory, as the guard reads it; the results are 0 until then. */
function written(steps: readonly ChildStep[]): Memory {
  const memory = allocate(steps.length * SIZEOF_STEP);
  const fields = words64(memory);
  steps.forEach((step, i) => {
    step.place = i;
  });
  const placeOf = ({ place = 0 }: ChildStep) => place;
  const resultAddress = (step: ChildStep) =>
    memory.address + BigInt(placeOf(step) * SIZEOF_STEP + STEP.result * SIZEOF_POINTER);
  steps.forEach(({ call, arguments: values = [], only, goesOn, otherwise }, i) => {
    const at = i * STEP_WORDS;
    fields[at + STEP.call] = BigInt(call);
    values.forEach((value, j) => {
      fields[at + STEP.arguments + j] = typeof value === 'object' ? resultAddress(value) : BigInt(value);
    });
    if (only) {
      fields[at + STEP.if_step] = BigInt(placeOf(only.after));
      fields[at + STEP.if_error] = BigInt(only.errno);
    }
    if (goesOn) [fields[at + STEP.goes_on], fields[at + STEP.goes_on + 1]] = goesOn;
    if (otherwise) fields[at + STEP.otherwise] = BigInt(placeOf(otherwise));
  });
  return memory;
}

const runInChild = declareGuard('run_in_child', 'pointer');

/**
 * Has a child run the steps, of which the last end it. It has exec'd or ended when this returns.
 *
 * @returns its PID, and the errno of a step: 0 if it has worked, or was not run; or -errno where there can be no child
 */
export function runSteps(steps: readonly ChildStep[]): { pid: number; errorOf: (step: ChildStep) => number } | number {
  const memory = written(steps);
  const pid = runInChild(memory.address);
  if (pid < 0) return pid;
  const results = words64(memory);
  const errorOf = ({ place }: ChildStep): number => {
    return place === undefined
      ? 0
      : Math.max(0, -Number(BigInt.asIntN(64, results[place * STEP_WORDS + STEP.result] ?? 0n)));
  };
  return { pid, errorOf };
}

/** The end of the child, with an exit status. */
export const exit = (status: number): ChildStep => ({ call: SYSTEM_CALLS.exit_group, arguments: [status] });
