// The guard: what keeps a thawed Node from harm. It is preloaded when Node boots at build time, is frozen
// with it, and so is the one part of the C that runs in a container beside the thaw.

#include "libc.h"
#include "step.h"

extern void *__curbrk; // libc's idea of the break

PUBLIC struct frozen frozen;

// The numbers of Node's own file descriptors may be anybody's after the thaw. V8's tasks would wake an
// event loop that never turns, by a write to one of them. (The program's own writes go to libc directly.)
static int thawed;
PUBLIC long write(int fd, const void *bytes, word size) {
  if (thawed && fd > STDERR) return (long)size;
  return result(sys_write(fd, bytes, size));
}

#if defined(__aarch64__)
// Node was told of pages of 64 KiB, the largest there are, so it counts on addresses that are multiples of
// that. A kernel with smaller pages gives others too: more is asked for, and what is too much returned.
enum { PAGE = 0x10000 };
PUBLIC void *mmap64(void *address, word size, int protection, int flags, int fd, long offset) {
  word slack = flags & MAP_FIXED ? 0 : PAGE;
  size = (size + PAGE - 1) & -(word)PAGE;
  long got = (long)sys_mmap(address, size + slack, protection, flags, fd, offset);
  if (failed(got) || !slack) return (void *)result(got);
  word start = ((word)got + PAGE - 1) & -(word)PAGE, before = start - (word)got;
  if (before) sys_munmap((void *)got, before);
  if (before < slack) sys_munmap((void *)(start + size), slack - before);
  return (void *)start;
}
PUBLIC void *mmap(void *address, word size, int protection, int flags, int fd, long offset) {
  return mmap64(address, size, protection, flags, fd, offset);
}
#endif

// --- the command's process ---------------------------------------------------------------------------

enum { LAST_ERROR = 127, CLONE_VM = 0x100, CLONE_VFORK = 0x4000, SIGCHLD = 17 }; // linux/sched.h

static long put_own_pid(char *to) { // in decimal
  long pid = sys_getpid(), digits = 1;
  for (long rest = pid; rest >= 10; rest /= 10) digits++;
  to[digits] = 0;
  for (; digits > 0; pid /= 10) to[--digits] = (char)('0' + pid % 10);
  return 0;
}

// Makes a child that shares this memory, in which the results remain to be read. This process waits until the
// child has exec'd or ended (vfork(2)). The last steps end the child. Returns its PID, or -errno.
PUBLIC int run_in_child(struct step *steps) {
  long pid = sys_clone(CLONE_VM | CLONE_VFORK | SIGCHLD);
  if (pid) return (int)pid;
  for (struct step *step = steps;;) {
    if (step->if_error && steps[step->if_step].result != -(long)step->if_error) {
      step++;
      continue;
    }
    const word *with = step->arguments;
    long got = step->call == PUT_OWN_PID ? put_own_pid((char *)with[0]) : sys((long)step->call, (long)with[0], (long)with[1], (long)with[2], (long)with[3]);
    step->result = got;
    word error = got >= 0 ? 0 : got < -LAST_ERROR ? LAST_ERROR : (word)-got; // seccomp(2) may give any up to 4095
    step = !error || step->goes_on[error / 64] >> error % 64 & 1 ? step + 1 : steps + step->otherwise;
  }
}

// --- the way in: never back through a frame that was frozen, always up ------------------------------

extern int napi_call_function(word, word, word, word, const word *, word *); // js_native_api.h

// The thaw jumps here, on the frozen stack: below every frame that was frozen.
PUBLIC _Noreturn void wake(void) {
  __curbrk = 0; // not known: libc asks the kernel when it needs more (sysdeps/unix/sysv/linux/brk.c, sbrk)
  thawed = 1;
  word nothing = 0;
  napi_call_function(frozen.env, frozen.receiver, frozen.callback, 0, 0, &nothing);
  die("[dumb-init] The program has returned. Exiting.\n");
}
