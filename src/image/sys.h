// System calls by name, with the types of their man pages (section 2). Each gives what the kernel gives: -errno for an
// error. Of those that take more, what is never asked for here is left out.

#include "arch.h"

struct pollfd {
  int fd;
  short events, revents;
};

// asm/signal.h: as the kernel has it, with all of its flags
struct sigaction {
  word handler, flags, restorer_or_mask, mask;
};

// linux/fcntl.h, asm-generic/mman-common.h, asm-generic/signal.h
enum {
  AT_FDCWD = -100,
  MAP_PRIVATE = 2, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20, MAP_NORESERVE = 0x4000, MAP_FIXED_NOREPLACE = 0x100000,
  PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4,
  SIZEOF_SIGSET = 8,
};

static inline void *sys_mmap(void *at, word size, int protection, int flags, int fd, long offset) {
  return (void *)sys6(SYS_mmap, (long)at, (long)size, protection, flags, fd, offset);
}
#if defined(__x86_64__)
static inline long sys_arch_prctl(int code, word address) { return sys(SYS_arch_prctl, code, (long)address, 0, 0); }
#endif
static inline long sys_close(int fd) { return sys(SYS_close, fd, 0, 0, 0); }
static inline long sys_getppid(void) { return sys(SYS_getppid, 0, 0, 0, 0); }
static inline long sys_getpid(void) { return sys(SYS_getpid, 0, 0, 0, 0); }
static inline long sys_gettid(void) { return sys(SYS_gettid, 0, 0, 0, 0); }
static inline long sys_madvise(void *at, word size, int advice) { return sys(SYS_madvise, (long)at, (long)size, advice, 0); }
static inline long sys_mincore(void *at, word size, unsigned char *pages) {
  return sys(SYS_mincore, (long)at, (long)size, (long)pages, 0);
}
static inline long sys_mprotect(void *at, word size, int protection) {
  return sys(SYS_mprotect, (long)at, (long)size, protection, 0);
}
static inline long sys_munmap(void *at, word size) { return sys(SYS_munmap, (long)at, (long)size, 0, 0); }
static inline long sys_open(const char *path, int flags, int mode) { return sys(SYS_openat, AT_FDCWD, (long)path, flags, mode); }
static inline long sys_ppoll(struct pollfd *fds, word count, const long *timeout) {
  return sys6(SYS_ppoll, (long)fds, (long)count, (long)timeout, 0, 0, 0);
}
static inline long sys_read(int fd, void *bytes, word size) { return sys(SYS_read, fd, (long)bytes, (long)size, 0); }
static inline long sys_rt_sigaction(int n, const struct sigaction *new, struct sigaction *old) {
  return sys(SYS_rt_sigaction, n, (long)new, (long)old, SIZEOF_SIGSET);
}
static inline long sys_rt_sigprocmask(int how, const word *new, word *old) {
  return sys(SYS_rt_sigprocmask, how, (long)new, (long)old, SIZEOF_SIGSET);
}
static inline long sys_set_tid_address(int *id) { return sys(SYS_set_tid_address, (long)id, 0, 0, 0); }
static inline long sys_write(int fd, const void *bytes, word size) { return sys(SYS_write, fd, (long)bytes, (long)size, 0); }

// Like fork(2), but for the flags (linux/sched.h). With CLONE_VM the child goes on with the same stack: so this must
// be no function of its own, into whose frame both would return.
__attribute__((always_inline)) static inline long sys_clone(int flags) { return sys(SYS_clone, flags, 0, 0, 0); }

static inline _Noreturn void sys_exit(int status) {
  sys(SYS_exit_group, status, 0, 0, 0);
  __builtin_trap(); // no loop: a damaged file might begin in the midst of it
}
