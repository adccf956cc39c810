/** Standard output and standard error. */
import { EFBIG, EPIPE } from '../abi.ts';
import { SIGPIPE, SIGXFSZ } from '../signals.ts';
import { allocate, declare } from './ffi.ts';
import { pendingSignal, signalSet } from './signal-source.ts';

const libcWrite = declare('write', 'int', 'pointer', 'pointer');

const CHUNK = 4096;
const chunk = allocate(CHUNK);
/** What a failed write queues for this thread. No one sent it: it must not be forwarded. */
const ofFailedWrite = new Map([
  [-EPIPE, signalSet([SIGPIPE])],
  [-EFBIG, signalSet([SIGXFSZ])],
]);

/** Writes bytes (latin1) to standard output (1) or standard error (2). What can't be written is dropped. */
export function write(fd: 1 | 2, text: string): void {
  for (let start = 0; start < text.length; start += CHUNK) {
    const length = chunk.bytes.write(text.slice(start, start + CHUNK), 'latin1');
    for (let done = 0; done < length; ) {
      const n = libcWrite(fd, chunk.address + BigInt(done), BigInt(length - done));
      const queued = ofFailedWrite.get(n);
      if (queued) pendingSignal(queued);
      if (n <= 0) return;
      done += n;
    }
  }
}
