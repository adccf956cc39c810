// The thaw: what the kernel starts. It has mapped everything already, for the executable is a static ELF file
// whose PT_LOAD segments are the memory of a Node that was frozen at build time. What is left to do:
//
//   1. block every signal, so that none is lost before the program can wait for it;
//   2. see that the file is whole;
//   3. put something that behaves as closed on those of fds 0-2 that are closed;
//   4. make this process, and no other, what the frozen memory is the memory of;
//   5. call the program, on the frozen stack, below all that was frozen.
//
// README.md in this folder says what is trusted and what is refused.

#include "sys.h"
#include "frozen.h"
#include "payload.h"

extern const struct payload payload;
extern const word file_start[]; // the linker's: the ELF header

// Made by the assembler, so that no compiler can take the zeros that stand here for its last word.
__attribute__((used)) static void define_payload(void) {
  __asm__(".pushsection .payload, \"a\"\n"
          ".balign 8\n"
          ".globl payload\n"
          "payload: .zero %c0\n"
          ".popsection\n" ::"i"(sizeof payload));
}

// linux/fcntl.h, linux/poll.h, linux/auxvec.h, asm-generic/mman-common.h, asm/prctl.h, asm-generic/signal.h
enum {
  O_PATH = 010000000, O_CLOEXEC = 02000000, POLLNVAL = 0x20, AT_RANDOM = 25, MADV_RANDOM = 1, MADV_WILLNEED = 3,
  ARCH_SET_FS = 0x1002, SIG_SETMASK = 2, SIG_IGN = 1,
  SIGKILL = 9, SIGCHLD = 17, SIGCONT = 18, SIGSTOP = 19, SIGURG = 23, SIGWINCH = 28, LAST_SIGNAL = 33,
};

static word bit(int n) { return 1UL << (n - 1); }

static _Noreturn void die(const char *line, word size) {
  sys_write(2, line, size);
  sys_exit(1);
}
#define DIE(text) die("[dumb-init] " text " Exiting.\n", sizeof("[dumb-init] " text " Exiting.\n") - 1)

// Every change of one word changes the sum: each step is one-to-one (FNV-1a, by words).
static word sum_of(const word *from, const word *to, word sum) {
  for (; from < to; from++) sum = (sum ^ *from) * 0x100000001b3;
  return sum;
}

// With a damaged table the way on would lead anywhere, and might never end. The end of the file is read by
// the system call that blocks the signals: where it is missing the kernel says so, and nothing else happens.
static word check_file_and_block_signals(void) {
  word blocked = 0;
  if (payload.headers > MOST_HEADER_WORDS) DIE("The executable is truncated or damaged.");
  word sum = sum_of(file_start, file_start + payload.headers, 0);
  if (sum_of((const word *)&payload, &payload.sum, sum) != payload.sum) DIE("The executable is truncated or damaged.");
  long error = sys_rt_sigprocmask(SIG_SETMASK, payload.end, &blocked);
  if (error || *payload.end != ~0UL) DIE("The executable is truncated or damaged.");
  return blocked;
}

// What a caller ignores would be ignored by the command too, and an ignored SIGCHLD would leave no status of
// a child. To set the default here would drop those that are ignored by default, if they are pending: for them
// any handler will do, which never runs, for all signals are blocked.
static word stop_ignoring_signals(word handler) {
  const word ignored_by_default = bit(SIGCHLD) | bit(SIGCONT) | bit(SIGURG) | bit(SIGWINCH);
  word ignored = 0;
  for (int n = 1; n <= LAST_SIGNAL; n++) {
    if (n == SIGKILL || n == SIGSTOP) continue; // can't be ignored
    struct sigaction action = {0};
    sys_rt_sigaction(n, 0, &action);
    if (action.handler != SIG_IGN) continue;
    ignored |= bit(n);
    action.handler = bit(n) & ignored_by_default ? handler : 0;
    sys_rt_sigaction(n, &action, 0);
  }
  return ignored;
}

// O_PATH on "/" behaves as closed for read, write and ioctl (EBADF), and being close-on-exec it is closed
// for the child. (An fd that was opened so looks closed as well: then another number is free.)
static void hold_closed_standard_fds(void) {
  struct pollfd fds[] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}};
  const long at_once[2] = {0, 0};
  sys_ppoll(fds, 3, at_once);
  for (int fd = 0; fd < 3; fd++) {
    if (!(fds[fd].revents & POLLNVAL)) continue;
    long got = sys_open("/", O_PATH | O_CLOEXEC, 0);
    if (got != fd) sys_close((int)got);
  }
}

// Where the file is not in the page cache, what a start reads of it is asked for at once, and no more is read
// around each page than that.
static void read_ahead(void) {
  unsigned char cached[LOOKED_AT], all = 1; // a byte for each page, of which there may be fewer
  for (int i = 0; i < LOOKED_AT; i++) cached[i] = 1;
  if (sys_mincore((void *)payload.hot[0].start, LOOKED_AT * LEAST_PAGE, cached)) return;
  for (int i = 0; i < LOOKED_AT; i++) all &= cached[i];
  if (all & 1) return;
  sys_madvise((void *)payload.image.start, payload.image.size, MADV_RANDOM);
  for (int i = 0; i < HOT; i++) sys_madvise((void *)payload.hot[i].start, payload.hot[i].size, MADV_WILLNEED);
}

static void set_thread_pointer(word value) {
#if defined(__x86_64__)
  sys_arch_prctl(ARCH_SET_FS, value);
#else
  __asm__ volatile("msr tpidr_el0, %0" ::"r"(value));
#endif
}

// Called by _start with the stack as the kernel has made it.
__attribute__((used)) _Noreturn void thaw(word *stack) {
  word blocked = check_file_and_block_signals();
  word parent = (word)sys_getppid(); // which may end before the program asks
  word ignored = stop_ignoring_signals((word)thaw);
  hold_closed_standard_fds();
  read_ahead();

  // Where another mapping is in the way, or the address space is limited, V8 goes on without until it
  // needs more of it: that ends in a line of its own.
  sys_mmap((void *)payload.reserved.start, payload.reserved.size, PROT_NONE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

  struct frozen *frozen = payload.frozen;
  set_thread_pointer(frozen->thread_pointer);
  long id = sys_set_tid_address(0);
  *(int *)frozen->thread_id = (int)id;

  word argc = stack[0], *argv = stack + 1, *envp = argv + argc + 1, *aux = envp;
  while (*aux++) continue;
  frozen->argc = argc;
  frozen->argv = (word)argv;
  frozen->envc = (word)(aux - envp - 1);
  frozen->envp = (word)envp;
  frozen->blocked = blocked;
  frozen->ignored = ignored;
  frozen->pid = (word)id;
  frozen->parent = parent;
  for (; aux[0]; aux += 2) // getauxval(3): 16 random bytes
    if (aux[0] == AT_RANDOM) { // secrets of libc's, which must not be the same in every container
      *(word *)frozen->canary = ((word *)aux[1])[0] & ~0xffUL; // its first byte in memory ends a string
      *(word *)frozen->pointer_guard = ((word *)aux[1])[1];
    }

#if defined(__x86_64__)
  __asm__ volatile("mov %0, %%rsp\n xor %%ebp, %%ebp\n call *%1" ::"r"(frozen->stack), "r"(frozen->wake) : "memory");
#else
  __asm__ volatile("mov sp, %0\n mov x29, #0\n blr %1" ::"r"(frozen->stack), "r"(frozen->wake) : "memory");
#endif
  __builtin_unreachable();
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call thaw\n");
#else
__asm__(".globl _start\n_start:\n  mov x29, #0\n  mov x0, sp\n  bl thaw\n");
#endif
