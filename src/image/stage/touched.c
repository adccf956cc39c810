// Which pages a start touches.

#include "stage.h"

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
  if (touched_count == MOST_TOUCHED || sys_mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC)) die("stage: a wild access\n");
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
  const struct sigaction action = {(word)give_back, SA_SIGINFO | SA_RESTORER, (word)return_from_signal, 0};
  sys_rt_sigaction(SIGSEGV, &action, 0);
  word here = (word)__builtin_frame_address(0);
  struct mapping mapping;
  for (const char *line = maps; *line;) {
    line = parse_mapping(line, &mapping);
    word start = mapping.start, end = mapping.end;
    if (mapping.readable && start < STACKS && !is_of_stage(start, end) && !is_of_processor(start, end) && !(start <= here && here < end))
      sys_mprotect((void *)start, end - start, PROT_NONE);
  }
}

// touched: addresses of pages, in the order in which the start touched them.
void find_touched(word env, word receiver, word start) {
  static char maps[MAPS_SIZE];
  long child = sys_clone(SIGCHLD);
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
  write_all(create("touched"), touched, touched_count * sizeof *touched);
  sys_exit(0);
}
