/** The registry of the inits that dumb-init can be. */
import type { Personality } from '../personality.ts';
import { catatonit } from './catatonit.ts';
import { dumbInit } from './dumb-init.ts';
import { tini } from './tini.ts';

const OTHERS: readonly Personality[] = [tini, catatonit];

/** Where Podman before 4.2 and Docker before 18.06 mount their init, whatever its name. */
const DEV_INIT = '/dev/init';

/** The init by whose name we are called: the last part of argv[0]. */
export function personalityOf(argv0: string): Personality {
  if (argv0 === DEV_INIT) return tini;
  const name = argv0.slice(argv0.lastIndexOf('/') + 1);
  return OTHERS.find(({ names }) => names.includes(name)) ?? dumbInit;
}
