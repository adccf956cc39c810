// One thread runs at a time, until it waits.

#include "stage.h"

extern void *dlsym(void *, const char *);
#define RTLD_NEXT ((void *)-1L)

enum { ENOSYS = 38, FUTEX_WAIT = 128, FUTEX_WAKE = 129 }; // private
static long sys_futex(int *at, int operation, int value) { return sys(SYS_futex, (long)at, operation, value, 0); }

static int baton = 1; // 0 free, 1 taken (by the main thread, to begin with), 2 taken and waited for

void take_baton(void) {
  int none = 0;
  if (__atomic_compare_exchange_n(&baton, &none, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
  while (__atomic_exchange_n(&baton, 2, __ATOMIC_ACQUIRE)) sys_futex(&baton, FUTEX_WAIT, 2);
}
void give_baton(void) {
  if (__atomic_exchange_n(&baton, 0, __ATOMIC_RELEASE) == 2) sys_futex(&baton, FUTEX_WAKE, 1);
}

void *libc_own(const char *name) {
  void *function = dlsym(RTLD_NEXT, name);
  if (!function) die("stage: a function of libc is missing\n");
  return function;
}
#define WAITING(name, parameters, ...) \
  PUBLIC int name parameters { \
    static int(*own) parameters; \
    if (!own) own = (int(*) parameters)libc_own(#name); \
    give_baton(); \
    int value = own(__VA_ARGS__); \
    take_baton(); \
    return value; \
  }
WAITING(sem_wait, (void *a), a)
WAITING(sem_timedwait, (void *a, void *b), a, b)
WAITING(pthread_cond_wait, (void *a, void *b), a, b)
WAITING(pthread_cond_timedwait, (void *a, void *b, void *c), a, b, c)
WAITING(pthread_mutex_lock, (void *a), a)
WAITING(pthread_join, (word a, void *b), a, b)
WAITING(epoll_wait, (int a, void *b, int c, int d), a, b, c, d)
WAITING(epoll_pwait, (int a, void *b, int c, int d, void *e), a, b, c, d, e)

PUBLIC long syscall(long number, long a, long b, long c, long d, long e, long f) {
  if (number == SYS_io_uring_setup) return result(-ENOSYS); // libuv works as well without
  if (number == SYS_gettid) return gettid();
  if (number == SYS_getrandom) return getrandom((unsigned char *)a, (word)b, 0);
  if (number == SYS_futex) give_baton();
  long value = result(sys6(number, a, b, c, d, e, f));
  if (number == SYS_futex) take_baton();
  if (number == SYS_statx && value == 0) forget_times((char *)e);
  return value;
}

// Where the main thread's stack is, V8 asks for; libc would read it, and the builder's paths, in /proc/self/maps.
extern char *__libc_stack_end;
PUBLIC int pthread_getattr_np(word thread, void *attributes) {
  enum { PAGE = 0x1000 };
  if (on_own_stack()) return ((int (*)(word, void *))libc_own("pthread_getattr_np"))(thread, attributes);
  int (*init)(void *) = libc_own("pthread_attr_init");
  int (*setstack)(void *, void *, word) = libc_own("pthread_attr_setstack");
  init(attributes);
  word end = ((word)__libc_stack_end + PAGE - 1) & -(word)PAGE;
  return setstack(attributes, (void *)(end - STACK), STACK);
}

struct begin {
  void *(*start)(void *);
  void *argument;
};
static int begun;
static void *begin(void *box) {
  struct begin begin = *(struct begin *)box;
  take_baton();
  begun++;
  sys_futex(&begun, FUTEX_WAKE, 1);
  return begin.start(begin.argument);
}
PUBLIC int pthread_create(void *thread, const void *attributes, void *(*start)(void *), void *argument) {
  int (*create)(void *, const void *, void *(*)(void *), void *) = libc_own("pthread_create");
  int (*init)(void *) = libc_own("pthread_attr_init"), (*setstack)(void *, void *, word) = libc_own("pthread_attr_setstack");
  (void)attributes;
  word own[16]; // pthread_attr_t, of 56 and 64 bytes
  init(own);
  setstack(own, new_stack(), STACK_SIZE);
  struct begin *box = malloc(sizeof *box);
  *box = (struct begin){start, argument};
  int before = begun, error = create(thread, own, begin, box);
  if (error) return error;
  // It runs at once, until it waits: else which of several takes the baton would be a matter of luck.
  give_baton();
  while (__atomic_load_n(&begun, __ATOMIC_ACQUIRE) == before) sys_futex(&begun, FUTEX_WAIT, before);
  take_baton();
  return 0;
}
