import fc from 'fast-check';
import t from 'tap';
import { formatter, isoTime } from '../../src/log.ts';
import * as messages from '../../src/messages.ts';
import type { Line } from '../../src/voice.ts';
import { EVENTS, entriesOf } from '../helpers/log-schema.ts';

const DAY = 86_400_000;

t.test('the time is written as Date writes it, leap years and the ends of months included', async (t) => {
  const moments = [0, 1, 999, DAY - 1, DAY, -1, Date.UTC(2000, 1, 29), Date.UTC(2100, 1, 28, 23, 59, 59, 999)];
  for (let day = 0; day < 800; day++)
    moments.push(Date.UTC(1999, 11, 31) + day * DAY, Date.UTC(2096, 0, 1) + day * DAY);
  const asDate = (ms: number) => isoTime(ms) === new Date(ms).toISOString();
  t.strictSame(
    moments.filter((ms) => !asDate(ms)),
    [],
  );
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 31 * 1000 }), asDate), { numRuns: 2000 });
});

const now = () => 86_400_007;
const TERM = { n: 15, text: '15' };

t.test('a line is written as it is, after the time, or as JSON with what happened in fields', async (t) => {
  const line = messages.received(TERM);
  t.equal(formatter(undefined, 3, now)(line), '[dumb-init] Received signal 15.\n');
  t.equal(formatter('text', 3, now)(line), '1970-01-02T00:00:00.007Z [dumb-init] Received signal 15.\n');
  t.equal(formatter('text', 3, now)('a\nb\n'), '1970-01-02T00:00:00.007Z a\n1970-01-02T00:00:00.007Z b\n');
  t.strictSame(JSON.parse(formatter('json', 3, now)(line)), {
    ...{ time: '1970-01-02T00:00:00.007Z', program: 'dumb-init', pid: 3, message: 'Received signal 15.' },
    ...{ event: 'signal_received', signal: 15, signal_name: 'SIGTERM' },
  });
});

const FAILURE = { errno: 1, text: 'Operation not permitted' };
const who = { name: 'sh', group: 7, session: 7 };
const exited = { kind: 'exited', code: 3 } as const;
const killed = { kind: 'signaled', signal: 15 } as const;
const command = { pid: 7, end: killed, status: 143 };

/** Every line that dumb-init can say, each in the ways that differ. */
const LINES: readonly Line[] = [
  messages.usageError('Usage: dumb-init\n', 1),
  messages.unableToStart('why'),
  messages.cannotFork(FAILURE),
  messages.cannotSetsid(FAILURE),
  messages.cannotExecute('sh', FAILURE),
  messages.internalError('why'),
  messages.dropped(2),
  messages.debugMode(),
  messages.notSetsidMode(),
  messages.cannotDetach(FAILURE),
  messages.detached(),
  messages.detachedNotLeader(),
  messages.cannotAttach(FAILURE),
  messages.setsidComplete(),
  messages.spawned(7, 'sh'),
  messages.cannotChdir(FAILURE),
  messages.received(TERM),
  messages.ignoringHandoff(TERM),
  messages.delaying(TERM, 500),
  messages.merging(TERM),
  messages.translating(TERM, { n: 0, text: '0' }),
  messages.forwarded(TERM),
  messages.notForwarding({ n: 0, text: '0' }),
  messages.suspending(),
  messages.childExited(7, 3),
  messages.childKilled(7, TERM),
  messages.orphanReaped(7, exited, undefined),
  messages.orphanReaped(7, killed, who),
  messages.waiting(),
  messages.forcing(),
  messages.goodbye(3),
  messages.exiting({ status: 0, command: undefined, passedOn: undefined, forced: false }),
  messages.exiting({ status: 0, command, passedOn: 15, forced: true }),
];

t.test('as JSON each line is as the schema says, and each event of the schema is said', async (t) => {
  const entries = entriesOf(LINES.map(formatter('json', 3, now)).join(''));
  t.equal(entries.length, LINES.length);
  t.strictSame([...new Set(entries.map(({ event }) => event))].sort(), [...EVENTS].sort());
});

t.test('an entry is one line of UTF-8 that no terminal obeys, whatever bytes are in it', async (t) => {
  const written = (bytes: Uint8Array) => {
    const line = messages.cannotExecute(Buffer.from(bytes).toString('latin1'), FAILURE);
    const text = Buffer.from(formatter('json', 3, now)(line), 'latin1');
    const utf8 = text.toString();
    const { command } = JSON.parse(utf8);
    return (
      /^[^\p{C}\u2028\u2029]*\n$/u.test(utf8.replaceAll('\u00ad', '')) &&
      Buffer.from(utf8).equals(text) &&
      command === Buffer.from(bytes).toString()
    );
  };
  t.ok(written(Buffer.from('a\n"\\\u001b[31m\u009b\u2028\u{e0001}\u{1f600}\u00ad')));
  t.ok(written(Buffer.from([0xff, 0xc2, 0x9b, 0x41])));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), written), { numRuns: 2000 });
});
