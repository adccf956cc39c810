// `freeze`, as JavaScript sees it: what the guard must know of this process is written down, and then all of it.

#include "stage.h"

extern struct frozen frozen;
extern _Noreturn void wake(void);

enum { SMALLEST = 24 };

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
  frozen.thread_id = find_thread_id(frozen.thread_pointer, (int)sys_gettid());
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
  give_baton();
  const long moment[2] = {0, 200000000};
  sys(SYS_nanosleep, (long)moment, 0, 0, 0);
  take_baton();
  find_touched(env, frozen.receiver, arguments[1]);
  dump();
  sys_exit(0);
}

PUBLIC word napi_register_module_v1(word env, word exports) {
  word function = 0, address = 0;
  napi_create_function(env, "freeze", 6, freeze, 0, &function);
  napi_set_named_property(env, exports, "freeze", function);
  napi_create_int64(env, (long)&frozen, &address);
  napi_set_named_property(env, exports, "frozen", address);
  return exports;
}
