/** Standard output and standard error. */
import { EFBIG, EINTR, EPIPE, MSG_DONTWAIT, MSG_NOSIGNAL, POLLOUT, SIZEOF_POLLFD } from '../abi.ts';
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

const libcSend = declare('send', 'int', 'pointer', 'pointer', 'int');
const libcPoll = declare('poll', 'pointer', 'pointer', 'int');
/** struct pollfd (poll(2)): an int and two shorts. */
const pollfd = allocate(SIZEOF_POLLFD);

/**
 * Whether a write of up to PIPE_BUF bytes would surely not wait: for a pipe that is full, or a terminal that is stopped,
 * it would. What can't be asked about is written to.
 */
function hasRoom(fd: number, ms: number): boolean {
  pollfd.bytes.writeInt32LE(fd, 0);
  pollfd.bytes.writeInt32LE(POLLOUT, 4);
  const ready = libcPoll(pollfd.address, 1n, ms);
  return ready !== 0 && ready !== -EINTR;
}

/**
 * Writes a line, or a text, if that is possible within a time.
 *
 * @param ms so long a reader that is slow is waited for, for each part of the text
 * @returns false if it was dropped, or its end was, because nobody reads
 */
export function writeWithin(fd: 1 | 2, text: string, ms: number): boolean {
  for (let start = 0; start < text.length; start += CHUNK) {
    const part = text.slice(start, start + CHUNK);
    if (hasRoom(fd, 0)) write(fd, part);
    else if (sendAtOnce(fd, part)) continue;
    else if (ms > 0 && hasRoom(fd, ms)) write(fd, part);
    else return false;
  }
  return true;
}

/** A socket says that it has room while it is nearly empty alone (unix(7)): this asks it by a message. */
function sendAtOnce(fd: number, part: string): boolean {
  const length = chunk.bytes.write(part, 'latin1');
  return libcSend(fd, chunk.address, BigInt(length), MSG_DONTWAIT | MSG_NOSIGNAL) === length;
}

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
