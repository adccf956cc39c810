// The guard: what keeps a thawed Node from harm. It is preloaded when Node boots at build time, is frozen
// with it, and so is the one part of the C that runs in a container beside the thaw.

#include "arch.h"
#include "frozen.h"

#define PUBLIC __attribute__((visibility("default")))

enum { STDERR = 2, MADV_DONTFORK = 10 };

extern int *__errno_location(void);
extern void *__curbrk; // libc's idea of the break (sysdeps/unix/sysv/linux/brk.c)

PUBLIC struct frozen frozen;

static long result(long value) {
  if (!failed(value)) return value;
  *__errno_location() = (int)-value;
  return -1;
}

// The numbers of Node's own file descriptors may be anybody's after the thaw. V8's tasks would wake an
// event loop that never turns, by a write to one of them. (The program's own writes go to libc directly.)
static int thawed;
PUBLIC long write(int fd, const void *bytes, word size) {
  if (thawed && fd > STDERR) return (long)size;
  return result(sys(SYS_write, fd, (long)bytes, (long)size, 0));
}

// V8 keeps its pages from children. The child that execs the command is set up in JavaScript, so it
// needs them.
PUBLIC int madvise(void *start, word size, int advice) {
  if (advice == MADV_DONTFORK) return 0;
  return (int)result(sys(SYS_madvise, (long)start, (long)size, advice, 0));
}

#if defined(__aarch64__)
// Node was told of pages of 64 KiB, the largest there are, so it counts on addresses that are multiples of
// that. A kernel with smaller pages gives others too: more is asked for, and what is too much returned.
enum { PAGE = 0x10000, MAP_FIXED = 0x10 };
PUBLIC void *mmap64(void *address, word size, int protection, int flags, int fd, long offset) {
  word slack = flags & MAP_FIXED ? 0 : PAGE;
  size = (size + PAGE - 1) & -(word)PAGE;
  long got = sys6(SYS_mmap, (long)address, (long)(size + slack), protection, flags, fd, offset);
  if (failed(got) || !slack) return (void *)result(got);
  word start = ((word)got + PAGE - 1) & -(word)PAGE, before = start - (word)got;
  if (before) sys(SYS_munmap, got, (long)before, 0, 0);
  if (before < slack) sys(SYS_munmap, (long)(start + size), (long)(slack - before), 0, 0);
  return (void *)start;
}
PUBLIC void *mmap(void *address, word size, int protection, int flags, int fd, long offset) {
  return mmap64(address, size, protection, flags, fd, offset);
}
#endif

// --- the way in: never back through a frame that was frozen, always up ------------------------------

extern int napi_call_function(word, word, word, word, const word *, word *); // js_native_api.h

static _Noreturn void end(const char *line, word size) {
  sys(SYS_write, STDERR, (long)line, (long)size, 0);
  for (;;) sys(SYS_exit_group, 1, 0, 0, 0);
}

// The thaw jumps here, on the frozen stack: below every frame that was frozen.
PUBLIC _Noreturn void wake(void) {
  static const char line[] = "[dumb-init] The program has returned. Exiting.\n";
  __curbrk = (void *)sys(SYS_brk, 0, 0, 0, 0);
  thawed = 1;
  word nothing = 0;
  napi_call_function(frozen.env, frozen.receiver, frozen.callback, 0, 0, &nothing);
  end(line, sizeof line - 1);
}
