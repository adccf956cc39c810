// The guard: preloaded before every other library, it keeps Node's own start-up from changing what
// the child would inherit, and from taking signals. Each function shadows libc's of the same name
// for Node and for the program; none is needed by the init itself.

#include "arch.h"

enum {
  F_SETFD = 2, F_GETFD = 1, ENOSYS = 38, MASK_SIZE = 8, SIZEOF_SIGACTION = 152,
  PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS = 0x22, MADV_DONTFORK = 10, MADV_HUGEPAGE = 14, MADV_POPULATE_WRITE = 23,
};

extern int *__errno_location(void);
extern void *dlsym(void *, const char *);
#define RTLD_NEXT ((void *)-1L)

// The kernel returns errors as -errno; below that it is an address.
static int failed(long value) { return value < 0 && value > -4096; }

static long result(long value) {
  if (!failed(value)) return value;
  *__errno_location() = (int)-value;
  return -1;
}

// Node empties the signal mask at its start. Then V8's threads would take signals and die of them.
// Nothing changes the mask that the launcher set; threads inherit it.
static int keep_mask(void *old) { return result(sys(SYS_rt_sigprocmask, 0, 0, (long)old, MASK_SIZE, 0)); }
int sigprocmask(int how, const void *set, void *old) { return (void)how, (void)set, keep_mask(old); }
int pthread_sigmask(int how, const void *set, void *old) { return (void)how, (void)set, keep_mask(old); }

// Node sets dispositions at its start. Of the signals that are pending by then the kernel would drop
// those that come to be ignored: PIPE and XFSZ, and CONT, URG and WINCH at their default.
int sigaction(int n, const void *new, unsigned char *old) {
  (void)n, (void)new;
  if (old)
    for (int i = 0; i < SIZEOF_SIGACTION; i++) old[i] = 0; // SIG_DFL
  return 0;
}

// Node marks every fd it inherited close-on-exec, counting up until the first that is not open: so
// a bad fd must still fail. (Node opens its own fds with O_CLOEXEC.)
int fcntl64(int fd, int command, long argument) {
  if (command != F_SETFD) return result(sys(SYS_fcntl, fd, command, argument, 0, 0));
  long flags = sys(SYS_fcntl, fd, F_GETFD, 0, 0, 0);
  return result(flags < 0 ? flags : 0);
}
int fcntl(int fd, int command, long argument) { return fcntl64(fd, command, argument); }

// Where the number of processes is limited too tightly, Node would wait for ever for the thread that
// it could not have.
int pthread_create(void *thread, const void *attributes, void *(*start)(void *), void *argument) {
  int (*create)(void *, const void *, void *(*)(void *), void *) = dlsym(RTLD_NEXT, "pthread_create");
  int error = create(thread, attributes, start, argument);
  if (!error) return 0;
  static const char line[] = "[dumb-init] Unable to create a thread: processes are limited. Exiting.\n";
  sys(SYS_write, 2, (long)line, sizeof line - 1, 0, 0);
  for (;;) sys(SYS_exit_group, 1, 0, 0, 0, 0);
}

// Node names its threads; the process keeps the name it was started by.
int pthread_setname_np(unsigned long thread, const char *name) { return (void)thread, (void)name, 0; }

// Memory is touched for the first time page by page: some 2,000 page faults of 4 KiB, and where the
// machine is itself a guest, as many in its host. Two calls save most of them; a kernel that has no huge
// pages to give still fills in small ones, and one before 5.14 faults as ever.
static void populate(unsigned long start, unsigned long size) {
  sys(SYS_madvise, (long)start, (long)size, MADV_HUGEPAGE, 0, 0);
  sys(SYS_madvise, (long)start, (long)size, MADV_POPULATE_WRITE, 0, 0);
}

// V8 takes its heap in pages of 256 KiB, and fills them at once with its snapshot. For each it asks for
// that and all but one system page, so that it can align it, and returns the rest. Here most pages come
// aligned out of a pool of two huge pages, and the rest that is returned is the next one's; a page of
// another size is for one large object. The first pages become V8's read-only heap, of which only parts
// are filled. (Wrong numbers would cost time or memory, nothing else.)
enum {
  V8_PAGE = 0x40000, V8_SLACK = V8_PAGE - 0x1000, V8_READ_ONLY_PAGES = 7, POOL = 2 * HUGE_PAGE,
};
static unsigned long pool, pool_end; // V8 has one thread that asks for pages

static void make_pool(void) {
  long got = sys6(SYS_mmap, 0, POOL + HUGE_PAGE + V8_PAGE, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  if (failed(got)) return;
  pool = ((unsigned long)got + HUGE_PAGE - 1) & -(unsigned long)HUGE_PAGE;
  pool_end = pool + POOL;
  sys(SYS_madvise, (long)pool, POOL + V8_PAGE, MADV_DONTFORK, 0, 0); // as V8 will: one by one would split them
  populate(pool, POOL);
}

void *mmap64(void *address, unsigned long size, int protection, int flags, int fd, long offset) {
  static int pages;
  int of_v8 = protection == PROT_READ_WRITE && flags == MAP_PRIVATE_ANONYMOUS && size > V8_PAGE && size < 2 * V8_PAGE;
  if (of_v8 && ++pages == V8_READ_ONLY_PAGES + 1) make_pool();
  int common = of_v8 && size == V8_PAGE + V8_SLACK;
  if (common && pool < pool_end) return (void *)((pool += V8_PAGE) - V8_PAGE);
  long got = sys6(SYS_mmap, (long)address, (long)size, protection, flags, fd, offset);
  if (failed(got)) return (void *)result(got);
  if (of_v8 && !common && (got & (V8_PAGE - 1)) == 0) populate((unsigned long)got, size - V8_SLACK);
  return (void *)got;
}
void *mmap(void *address, unsigned long size, int protection, int flags, int fd, long offset) {
  return mmap64(address, size, protection, flags, fd, offset);
}
int munmap(void *address, unsigned long size) {
  if ((unsigned long)address == pool && size == V8_SLACK) return 0;
  return result(sys(SYS_munmap, (long)address, (long)size, 0, 0, 0));
}

// The heap of malloc, whose place and first size are the launcher's doing.
extern void *malloc(unsigned long), *sbrk(long);
__attribute__((constructor)) static void populate_heap(void) {
  unsigned long start = (unsigned long)malloc(1) & -0x10000UL; // the largest system page
  unsigned long end = (start + 2 * HUGE_PAGE - 1) & -(unsigned long)HUGE_PAGE;
  if (start < end && end <= (unsigned long)sbrk(0)) populate(start, end - start);
}

// libuv sets up an io_uring for each event loop, and works as well without.
long syscall(long number, long a, long b, long c, long d, long e, long f) {
  if (number == SYS_io_uring_setup) return result(-ENOSYS);
  return result(sys6(number, a, b, c, d, e, f));
}
