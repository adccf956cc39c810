import { constants } from 'node:os';
import t from 'tap';
import {
  MAX_STANDARD_SIGNAL,
  SIGCHLD,
  SIGCONT,
  SIGHUP,
  SIGNALS,
  SIGPIPE,
  SIGSTOP,
  SIGTERM,
  SUSPENDING,
} from '../../src/signals.ts';

t.test("numbers and names are the system's", (t) => {
  // Two names for one number: SIGABRT and SIGIOT, SIGIO and SIGPOLL.
  const known = Object.entries(constants.signals).filter(([name]) => name !== 'SIGIOT' && name !== 'SIGPOLL');
  t.strictSame(Object.fromEntries(SIGNALS.map(({ name, n }) => [name, n])), Object.fromEntries(known));
  t.end();
});

t.test('there is one row for each standard signal, in order', (t) => {
  t.strictSame(
    SIGNALS.map(({ n }) => n),
    Array.from({ length: MAX_STANDARD_SIGNAL }, (_, i) => i + 1),
  );
  t.end();
});

t.test('signals that the program names have their numbers', (t) => {
  t.match(constants.signals, { SIGCHLD, SIGCONT, SIGHUP, SIGPIPE, SIGSTOP, SIGTERM });
  t.end();
});

t.test('job-control stops that a process may take suspend', (t) => {
  const { SIGTSTP, SIGTTIN, SIGTTOU } = constants.signals;
  t.strictSame([...SUSPENDING].sort(), [SIGTSTP, SIGTTIN, SIGTTOU]);
  t.end();
});
