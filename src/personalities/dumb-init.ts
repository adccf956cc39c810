import * as messages from '../messages.ts';
import { type Options, parseOptions } from '../options.ts';
import type { Personality } from '../personality.ts';
import { signalName } from '../signals.ts';
import { DUMB_INIT_RULES } from '../state.ts';
import type { Voice } from '../voice.ts';

function debugLines(signalNames: boolean): Voice {
  const shown = (n: number) => ({ n, text: signalNames && n !== 0 ? `${n} (${signalName(n)})` : String(n) });
  return {
    debugMode: messages.debugMode,
    notSetsidMode: messages.notSetsidMode,
    cannotDetach: messages.cannotDetach,
    detached: messages.detached,
    detachedNotLeader: messages.detachedNotLeader,
    cannotAttach: messages.cannotAttach,
    setsidComplete: messages.setsidComplete,
    spawned: messages.spawned,
    cannotChdir: messages.cannotChdir,
    received: (n) => messages.received(shown(n)),
    ignoringHandoff: (n) => messages.ignoringHandoff(shown(n)),
    delaying: (n, ms) => messages.delaying(shown(n), ms),
    merging: (n) => messages.merging(shown(n)),
    translating: (from, to) => messages.translating(shown(from), shown(to)),
    forwarded: (n) => messages.forwarded(shown(n)),
    notForwarding: (n) => messages.notForwarding(shown(n)),
    suspending: messages.suspending,
    reaped: (pid, end) =>
      end.kind === 'exited' ? messages.childExited(pid, end.code) : messages.childKilled(pid, shown(end.signal)),
    waiting: messages.waiting,
    forcing: messages.forcing,
    goodbye: messages.goodbye,
  };
}

/** dumb-init 1.2.5, and what was added to it. */
export const dumbInit: Personality = {
  names: ['dumb-init'],
  parse: parseOptions,
  voice: ({ verbose, signalNames, warnZombies, logExit }: Options) => ({
    ...(verbose ? debugLines(signalNames) : {}),
    ...(warnZombies ? { orphan: messages.orphanReaped } : {}),
    ...(logExit ? { exiting: messages.exiting } : {}),
  }),
  rules: DUMB_INIT_RULES,
  leavesFolder: true,
  closesFiles: false,
  namesOrphans: true,
  cannotFork: (_, failure) => messages.cannotFork(failure),
  cannotExecute: (_, file, failure) => messages.cannotExecute(file, failure),
  execStatuses: ({ execStatus }) =>
    execStatus ? { notFound: 127, denied: 126, other: 126 } : { notFound: 2, denied: 2, other: 2 },
};
