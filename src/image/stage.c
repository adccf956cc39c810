// The stage: what exists at build time only. Preloaded before every other library while Node boots and the
// program is rehearsed, it gives memory its place, makes time and chance the same in each build, lets one
// thread run at a time, and at the end writes the process down. The packer leaves it out of the
// executable: what pointed to a function here points to libc's own again.

#include "arch.h"
#include "frozen.h"

#define PUBLIC __attribute__((visibility("default")))

enum { ENOSYS = 38, MAP_FIXED = 0x10, PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS = 0x22 };

extern struct frozen frozen;
extern _Noreturn void wake(void);
extern int *__errno_location(void);
extern void *dlsym(void *, const char *), *malloc(word), *memset(void *, int, word);
extern void free(void *);
#define RTLD_NEXT ((void *)-1L)

static long result(long value) {
  if (!failed(value)) return value;
  *__errno_location() = (int)-value;
  return -1;
}

static word length(const char *text) {
  word size = 0;
  while (text[size]) size++;
  return size;
}

static _Noreturn void die(const char *line) {
  sys(SYS_write, 2, (long)line, (long)length(line), 0);
  for (;;) sys(SYS_exit_group, 1, 0, 0, 0);
}

// --- place: each mapping next to the last, where every kernel has room (39 bits of address) -----------

enum { STEP = 0x40000, STACK_STEP = 0x1000000, STACK_SIZE = 0x200000 }; // V8 wants its pages aligned to 256 KiB
static const word STACKS = 0x4f00000000, STACKS_END = 0x5000000000; // of the other threads: not frozen
static const word NO_MORE = 0x8000000000;                           // what lies beyond is the kernel's
static word next = 0x4200000000, next_stack = STACKS;
static word last_end;

PUBLIC void *mmap64(void *address, word size, int protection, int flags, int fd, long offset) {
  word at = (word)address;
  if (!(flags & MAP_FIXED)) {
    at = next;
    last_end = at + size;
    next = (last_end + STEP - 1) & -(word)STEP;
  }
  return (void *)result(sys6(SYS_mmap, (long)at, (long)size, protection, flags | MAP_FIXED, fd, offset));
}
PUBLIC void *mmap(void *address, word size, int protection, int flags, int fd, long offset) {
  return mmap64(address, size, protection, flags, fd, offset);
}
// V8 asks for more than it wants, to align it, and returns the rest: that is the next one's.
PUBLIC int munmap(void *address, word size) {
  if ((word)address + size == last_end) {
    last_end = (word)address;
    next = (last_end + STEP - 1) & -(word)STEP;
  }
  return (int)result(sys(SYS_munmap, (long)address, (long)size, 0, 0));
}

static void *libc_own(const char *name);

// V8 keeps its pages from children, of which find_touched has one.
PUBLIC int madvise(void *start, word size, int advice) {
  enum { MADV_DONTFORK = 10 };
  return advice == MADV_DONTFORK ? 0 : (int)result(sys(SYS_madvise, (long)start, (long)size, advice, 0));
}

// --- time and chance ------------------------------------------------------------------------------

// Whether another thread than the main one runs.
static int on_own_stack(void) {
  word here = (word)__builtin_frame_address(0);
  return here >= STACKS && here < STACKS_END;
}

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
static void forget_times(char *into) { // struct statx
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

// --- one thread at a time, until it waits ------------------------------------------------------------

enum { FUTEX_WAIT = 128, FUTEX_WAKE = 129 }; // private
static int baton = 1; // 0 free, 1 taken (by the main thread, to begin with), 2 taken and waited for

static void take(void) {
  int none = 0;
  if (__atomic_compare_exchange_n(&baton, &none, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
  while (__atomic_exchange_n(&baton, 2, __ATOMIC_ACQUIRE)) sys(SYS_futex, (long)&baton, FUTEX_WAIT, 2, 0);
}
static void give(void) {
  if (__atomic_exchange_n(&baton, 0, __ATOMIC_RELEASE) == 2) sys(SYS_futex, (long)&baton, FUTEX_WAKE, 1, 0);
}

static void *libc_own(const char *name) {
  void *function = dlsym(RTLD_NEXT, name);
  if (!function) die("stage: a function of libc is missing\n");
  return function;
}
#define WAITING(name, parameters, ...) \
  PUBLIC int name parameters { \
    static int(*own) parameters; \
    if (!own) own = (int(*) parameters)libc_own(#name); \
    give(); \
    int value = own(__VA_ARGS__); \
    take(); \
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
  if (number == SYS_futex) give();
  long value = result(sys6(number, a, b, c, d, e, f));
  if (number == SYS_futex) take();
  if (number == SYS_statx && value == 0) forget_times((char *)e);
  return value;
}

// Where the main thread's stack is, V8 asks for; libc would read it, and the builder's paths, in /proc/self/maps.
extern char *__libc_stack_end;
PUBLIC int pthread_getattr_np(word thread, void *attributes) {
  enum { PAGE = 0x1000, STACK = 0x5ff000 }; // as in scripts/build/freeze.ts
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
  take();
  begun++;
  sys(SYS_futex, (long)&begun, FUTEX_WAKE, 1, 0);
  return begin.start(begin.argument);
}
// On a stack whose place tells that it is not frozen.
PUBLIC int pthread_create(void *thread, const void *attributes, void *(*start)(void *), void *argument) {
  int (*create)(void *, const void *, void *(*)(void *), void *) = libc_own("pthread_create");
  int (*init)(void *) = libc_own("pthread_attr_init"), (*setstack)(void *, void *, word) = libc_own("pthread_attr_setstack");
  (void)attributes;
  word own[16]; // pthread_attr_t, of 56 and 64 bytes
  init(own);
  sys6(SYS_mmap, (long)next_stack, STACK_SIZE, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS | MAP_FIXED, -1, 0);
  setstack(own, (void *)next_stack, STACK_SIZE);
  next_stack += STACK_STEP;
  struct begin *box = malloc(sizeof *box);
  *box = (struct begin){start, argument};
  int before = begun, error = create(thread, own, begin, box);
  if (error) return error;
  // It runs at once, until it waits: else which of several takes the baton would be a matter of luck.
  give();
  while (__atomic_load_n(&begun, __ATOMIC_ACQUIRE) == before) sys(SYS_futex, (long)&begun, FUTEX_WAIT, before, 0);
  take();
  return 0;
}

// --- the dump ---------------------------------------------------------------------------------------

enum { AT_FDCWD = -100, O_WRITE_NEW = 01101, MAPS_SIZE = 1 << 16, SMALLEST = 24 };

// Memory that malloc has free is filled with zeros, and stays taken: what is allocated after the thaw lies
// together, at the heap's end.
extern void *__curbrk;
struct mallinfo2 {
  word others[9], top_size; // malloc.h: the size of what is free at the heap's end
};
extern struct mallinfo2 mallinfo2(void);

static void plug_holes(void) {
  enum { LARGEST = 120008, GRAIN = 16 }; // with its head of 8 bytes, each fills a piece of malloc's sizes
  char *top = (char *)__curbrk - mallinfo2().top_size;
  for (word size = LARGEST; size >= SMALLEST; size -= size > 1024 ? size / 16 & -(word)GRAIN : GRAIN)
    for (;;) {
      char *piece = malloc(size);
      memset(piece, 0, size);
      if (piece < top) continue;
      free(piece);
      break;
    }
}

// The word by which malloc recognizes what is free already (malloc/malloc.c, tcache_key) is random.
static word tcache_key(void) {
  word *piece = malloc(SMALLEST);
  free(piece);
  return piece[1];
}

static long open_new(const char *path) { return sys(SYS_openat, AT_FDCWD, (long)path, O_WRITE_NEW, 0644); }

static void write_all(long fd, word from, word size) {
  while (size) {
    long n = sys(SYS_write, fd, (long)from, (long)(size > 1 << 28 ? 1 << 28 : size), 0);
    if (n <= 0) die("stage: the dump can't be written\n");
    from += (word)n, size -= (word)n;
  }
}

static word hex(const char **text) {
  word value = 0;
  for (;; ++*text) {
    int c = **text, digit = c >= 'a' ? c - 'a' + 10 : c - '0';
    if (digit < 0 || digit > 15) return value;
    value = value * 16 + (word)digit;
  }
}

static void read_maps(char *maps) {
  long in = sys(SYS_openat, AT_FDCWD, (long)"/proc/self/maps", 0, 0), n;
  word size = 0;
  while ((n = sys(SYS_read, in, (long)(maps + size), (long)(MAPS_SIZE - 1 - size), 0)) > 0) size += (word)n;
  if (size == MAPS_SIZE - 1) die("stage: there are more mappings than expected\n");
  maps[size] = 0;
}

// maps: the text of /proc/self/maps. memory: of each mapping that can be read but the threads' stacks its
// start and end, then its bytes; two zeros at the end.
static __attribute__((noinline)) void dump(void) {
  char maps[MAPS_SIZE];
  read_maps(maps);
  write_all(open_new("maps"), (word)maps, length(maps));
  long memory = open_new("memory");
  for (const char *line = maps; *line;) {
    struct range range;
    word start = hex(&line), end = (line++, hex(&line));
    int wanted = line[1] == 'r' && !(start >= STACKS && start < STACKS_END) && start < NO_MORE;
    if (wanted) {
      range = (struct range){start, end};
      write_all(memory, (word)&range, sizeof range);
      write_all(memory, start, end - start);
    }
    while (*line && *line++ != '\n') continue;
  }
  word zeros[2] = {0, 0};
  write_all(memory, (word)zeros, sizeof zeros);
}

// js_native_api.h; handles are pointers
extern int napi_get_cb_info(word, word, word *, word *, word *, void *);
extern int napi_get_undefined(word, word *);
extern int napi_call_function(word, word, word, word, const word *, word *);
extern int napi_create_function(word, const char *, word, word (*)(word, word), void *, word *);
extern int napi_create_int64(word, long, word *);
extern int napi_set_named_property(word, word, const char *, word);

// --- which pages a start touches ---------------------------------------------------------------------

// In a copy of the process all memory is taken away, but the stage's own and the stacks. What is touched comes
// back, page by page, and is written down.
enum { MOST_TOUCHED = 16384, SA_SIGINFO = 4, SA_RESTORER = 0x04000000, SIGSEGV = 11, SIGCHLD = 17, PAGE = 0x1000 };
static word touched[MOST_TOUCHED], touched_count;

extern void return_from_signal(void); // rt_sigreturn(2): libc's own is among what is taken away
#if defined(__x86_64__)
__asm__(".hidden return_from_signal\nreturn_from_signal: mov $15, %eax\n syscall\n");
#else
__asm__(".hidden return_from_signal\nreturn_from_signal: mov x8, #139\n svc 0\n");
#endif

static void give_back(int n, const word *info, const void *context) {
  (void)n, (void)context;
  word page = info[2] & -(word)PAGE; // siginfo_t: si_addr
  if (touched_count == MOST_TOUCHED || sys(SYS_mprotect, (long)page, PAGE, 7, 0)) die("stage: a wild access\n");
  touched[touched_count++] = page;
}

// The linker's: where the stage begins and ends.
extern __attribute__((visibility("hidden"))) const char __ehdr_start[], _end[];
static int is_of_stage(word start, word end) { return start < (word)_end && (word)__ehdr_start < end; }

// qemu-user keeps the descriptor tables of the processor in the process's own memory.
static int is_of_processor(word start, word end) {
#if defined(__x86_64__)
  struct __attribute__((packed)) {
    unsigned short limit;
    word base;
  } global, interrupt;
  __asm__ volatile("sgdt %0\n sidt %1" : "=m"(global), "=m"(interrupt));
  return (start <= global.base && global.base < end) || (start <= interrupt.base && interrupt.base < end);
#else
  return (void)start, (void)end, 0;
#endif
}

static void take_all_away(const char *maps) {
  word action[4] = {(word)give_back, SA_SIGINFO | SA_RESTORER, (word)return_from_signal, 0};
  sys(SYS_rt_sigaction, SIGSEGV, (long)action, 0, 8);
  word here = (word)__builtin_frame_address(0);
  for (const char *line = maps; *line;) {
    word start = hex(&line), end = (line++, hex(&line));
    if (line[1] == 'r' && start < STACKS && !is_of_stage(start, end) && !is_of_processor(start, end) && !(start <= here && here < end))
      sys(SYS_mprotect, (long)start, (long)(end - start), 0, 0);
    while (*line && *line++ != '\n') continue;
  }
}

// touched: addresses of pages, in the order in which the start touched them.
static void find_touched(word env, word receiver, word start) {
  static char maps[MAPS_SIZE];
  long child = sys(SYS_clone, SIGCHLD, 0, 0, 0);
  if (child) {
    int status = 0;
    sys(SYS_wait4, child, (long)&status, 0, 0);
    if (status) die("stage: what a start touches could not be found out\n");
    return;
  }
  word nothing = 0;
  read_maps(maps);
  take_all_away(maps);
  napi_call_function(env, receiver, start, 0, 0, &nothing);
  write_all(open_new("touched"), (word)touched, touched_count * sizeof *touched);
  sys(SYS_exit_group, 0, 0, 0, 0);
}

// Where libc keeps the thread's ID: in the struct pthread beside the thread pointer (nptl/descr.h).
static word find_thread_id(word thread_pointer, int id) {
#if defined(__x86_64__)
  for (word at = thread_pointer + 0x100; at < thread_pointer + 0x800; at += 4)
#else
  for (word at = thread_pointer - 0x800; at < thread_pointer; at += 4)
#endif
    if (*(int *)at == id) return at;
  die("stage: the thread's ID is not where it is looked for\n");
}

static word thread_pointer(void) {
  word value;
#if defined(__x86_64__)
  __asm__("mov %%fs:0, %0" : "=r"(value));
#else
  __asm__("mrs %0, tpidr_el0" : "=r"(value));
#endif
  return value;
}

// libc chooses these functions when it is loaded; the packer can't know which (STT_GNU_IFUNC).
PUBLIC struct {
  word here, rightful;
} chosen[] = {{(word)gettimeofday, 0}, {(word)time, 0}};

// The size of a thread's stack is the builder's limit (ulimit -s).
static void set_stack_size(void) {
  word attributes[16];
  ((int (*)(void *))libc_own("pthread_attr_init"))(attributes);
  ((int (*)(void *, word))libc_own("pthread_attr_setstacksize"))(attributes, STACK_SIZE);
  ((int (*)(const void *))libc_own("pthread_setattr_default_np"))(attributes);
}

// `freeze(wake, start)`: dumps this process and ends it; `wake` is called in each that is thawed from it. `start` is
// what a start does, for the list of what it touches.
static word freeze(word env, word info) {
  word count = 2, arguments[2];
  napi_get_cb_info(env, info, &count, arguments, 0, 0);
  frozen.callback = arguments[0];
  napi_get_undefined(env, &frozen.receiver);
  frozen.env = env;
  frozen.tcache_key = tcache_key();
  frozen.wake = (word)wake;
  // Where our caller's frame ends: what lies below, our own variables too, is dead, and left out.
  frozen.stack = (word)__builtin_dwarf_cfa() & -(word)16;
  frozen.thread_pointer = thread_pointer();
  frozen.thread_id = find_thread_id(frozen.thread_pointer, (int)sys(SYS_gettid, 0, 0, 0, 0));
#if defined(__x86_64__)
  frozen.canary = frozen.thread_pointer + 0x28;
  frozen.pointer_guard = frozen.thread_pointer + 0x30;
#else
  frozen.canary = (word)libc_own("__stack_chk_guard");
  frozen.pointer_guard = (word)libc_own("__pointer_chk_guard");
#endif
  chosen[0].rightful = (word)libc_own("gettimeofday");
  chosen[1].rightful = (word)libc_own("time");
  set_stack_size();
  plug_holes();
  // Whoever was woken must be asleep again, with no lock taken.
  give();
  long moment[2] = {0, 200000000};
  sys(SYS_nanosleep, (long)moment, 0, 0, 0);
  take();
  find_touched(env, frozen.receiver, arguments[1]);
  dump();
  sys(SYS_exit_group, 0, 0, 0, 0);
  return 0;
}

PUBLIC word napi_register_module_v1(word env, word exports) {
  word function = 0, address = 0;
  napi_create_function(env, "freeze", 6, freeze, 0, &function);
  napi_set_named_property(env, exports, "freeze", function);
  napi_create_int64(env, (long)&frozen, &address);
  napi_set_named_property(env, exports, "frozen", address);
  return exports;
}
