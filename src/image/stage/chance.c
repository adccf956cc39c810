// Time and chance: they are the same in each build, and so is what a process learns of the machine.

#include "stage.h"

enum { NS = 1000000000, TICK = 1000 };
static word ticks = NS;

// It goes on for the main thread alone: how often the others ask is not the same each time.
static long now(long *time, int divisor) {
  if (!on_own_stack()) ticks += TICK;
  time[0] = (long)(ticks / NS);
  time[1] = (long)(ticks % NS) / divisor;
  return 0;
}
PUBLIC int clock_gettime(int clock, long *time) { return (void)clock, (int)now(time, 1); }
PUBLIC int gettimeofday(long *time, void *zone) { return (void)zone, (int)now(time, 1000); }
PUBLIC long time(long *into) {
  long value[2];
  now(value, 1);
  if (into) *into = value[0];
  return value[0];
}

PUBLIC long getrandom(unsigned char *bytes, word size, unsigned flags) {
  static word state = 0x123456789abcdef;
  (void)flags;
  for (word i = 0; i < size; i++) { // xorshift64
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    bytes[i] = (unsigned char)state;
  }
  return (long)size;
}
// The number of processors, and how much memory there is, are the builder's too.
PUBLIC int sched_getaffinity(int id, word size, unsigned char *set) {
  (void)id;
  memset(set, 0, size);
  set[0] = 1;
  return 0;
}
PUBLIC int getpid(void) { return 1; }
PUBLIC int gettid(void) { return on_own_stack() ? 2 : 1; }

// What standard input and output are is the builder's, and so are device, inode and times of every file.
PUBLIC int __fxstat64(int version, int fd, char *into) {
  enum { SIZEOF_STAT = 144 };
  static int (*own)(int, int, char *);
  if (!own) own = (int (*)(int, int, char *))libc_own("__fxstat64");
  int error = own(version, fd, into);
  if (fd <= 2 && !error) memset(into, 0, SIZEOF_STAT);
  return error;
}
void forget_times(char *into) { // struct statx
  enum { STX_INO = 32, STX_SIZE = 40, STX_ATIME = 64, SIZEOF_STATX = 256 };
  memset(into + STX_INO, 0, STX_SIZE - STX_INO);
  memset(into + STX_ATIME, 0, SIZEOF_STATX - STX_ATIME);
}

// The builder's path of the executable and of the working directory are nobody's business.
static long put(char *into, const char *text) {
  long i = 0;
  do into[i] = text[i];
  while (text[i++]);
  return i - 1;
}
PUBLIC long readlink(const char *path, char *into, word size) { return (void)path, (void)size, put(into, "/dumb-init"); }
PUBLIC char *getcwd(char *into, word size) { return (void)size, put(into, "/"), into; }

// There are aarch64 kernels with pages of 4, 16 and 64 KiB: what is aligned to the largest is so for all. (libc's
// own idea of the size is set by scripts/build/pack.ts.)
#if defined(__aarch64__)
enum { LARGEST_PAGE = 0x10000 };
#else
enum { LARGEST_PAGE = 0x1000 };
#endif
enum { SC_PAGESIZE = 30, SC_NPROCESSORS_CONF = 83, SC_NPROCESSORS_ONLN = 84 };
PUBLIC int getpagesize(void) { return LARGEST_PAGE; }
PUBLIC long sysconf(int name) {
  static long (*own)(int);
  if (name == SC_PAGESIZE) return LARGEST_PAGE;
  if (name == SC_NPROCESSORS_CONF || name == SC_NPROCESSORS_ONLN) return 1;
  if (!own) own = (long (*)(int))libc_own("sysconf");
  return own(name);
}
