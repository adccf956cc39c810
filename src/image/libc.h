// What the guard and the stage share: each takes the place of functions of libc.

#include "sys.h"
#include "frozen.h"

#define PUBLIC __attribute__((visibility("default")))

enum { STDERR = 2 };

extern int *__errno_location(void);

// As libc gives what the kernel gives: -1 for an error, with errno.
static inline long result(long value) {
  if (!failed(value)) return value;
  *__errno_location() = (int)-value;
  return -1;
}

static inline _Noreturn void die(const char *line) {
  word size = 0;
  while (line[size]) size++;
  sys_write(STDERR, line, size);
  sys_exit(1);
}
