// The guard: preloaded before every other library, it keeps Node's own start-up from changing what
// the child would inherit, and from taking signals. Each function shadows libc's of the same name
// for Node and for the program; none is needed by the init itself.

#include "arch.h"

enum { F_SETFD = 2, F_GETFD = 1, MASK_SIZE = 8 };

extern int *__errno_location(void);
extern void *dlsym(void *, const char *);
#define RTLD_NEXT ((void *)-1L)

static int result(long value) {
  if (value >= 0) return (int)value;
  *__errno_location() = (int)-value;
  return -1;
}

// Node empties the signal mask at its start. Then V8's threads would take signals and die of them.
// Nothing changes the mask that the launcher set; threads inherit it.
static int keep_mask(void *old) { return result(sys(SYS_rt_sigprocmask, 0, 0, (long)old, MASK_SIZE, 0)); }
int sigprocmask(int how, const void *set, void *old) { return (void)how, (void)set, keep_mask(old); }
int pthread_sigmask(int how, const void *set, void *old) { return (void)how, (void)set, keep_mask(old); }

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
