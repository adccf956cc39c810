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

#include "arch.h"
#include "frozen.h"

// Written by scripts/build/pack.ts. `end` is the file's last word: all ones.
enum { HOT = 96, MOST_HEADER_WORDS = (64 + 73 * 56) / 8 };
struct payload {
  struct frozen *frozen;
  const word *end;
  struct range reserved; // address space into which V8's table of functions may grow
  struct range image;    // all that is mapped of the file
  struct range hot[HOT]; // what a start reads of it
  word headers;          // how many words of headers
  word sum;              // of the headers and of the words before
};
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
  AT_FDCWD = -100, O_PATH = 010000000, O_CLOEXEC = 02000000, POLLNVAL = 0x20, AT_RANDOM = 25,
  MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20, MAP_NORESERVE = 0x4000, MAP_FIXED_NOREPLACE = 0x100000, ARCH_SET_FS = 0x1002,
  MADV_RANDOM = 1, MADV_WILLNEED = 3,
  SIG_SETMASK = 2, SIG_IGN = 1, MASK_SIZE = 8,
  SIGKILL = 9, SIGCHLD = 17, SIGCONT = 18, SIGSTOP = 19, SIGURG = 23, SIGWINCH = 28, LAST_SIGNAL = 33,
};

static word bit(int n) { return 1UL << (n - 1); }

static _Noreturn void die(const char *line, word size) {
  sys(SYS_write, 2, (long)line, (long)size, 0);
  sys(SYS_exit_group, 1, 0, 0, 0);
  __builtin_trap(); // no loop: a damaged file might begin in the midst of it
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
  long error = sys(SYS_rt_sigprocmask, SIG_SETMASK, (long)payload.end, (long)&blocked, MASK_SIZE);
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
    word action[4] = {0}; // handler, flags, restorer or mask, mask
    sys(SYS_rt_sigaction, n, 0, (long)action, MASK_SIZE);
    if (action[0] != SIG_IGN) continue;
    ignored |= bit(n);
    action[0] = bit(n) & ignored_by_default ? handler : 0;
    sys(SYS_rt_sigaction, n, (long)action, 0, MASK_SIZE);
  }
  return ignored;
}

// O_PATH on "/" behaves as closed for read, write and ioctl (EBADF), and being close-on-exec it is closed
// for the child. (An fd that was opened so looks closed as well: then another number is free.)
static void hold_closed_standard_fds(void) {
  struct {
    int fd;
    short events, found;
  } fds[] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}};
  word at_once[2] = {0, 0};
  sys6(SYS_ppoll, (long)fds, 3, (long)at_once, 0, 0, 0);
  for (int fd = 0; fd < 3; fd++) {
    if (!(fds[fd].found & POLLNVAL)) continue;
    long got = sys(SYS_openat, AT_FDCWD, (long)"/", O_PATH | O_CLOEXEC, 0);
    if (got != fd) sys(SYS_close, got, 0, 0, 0);
  }
}

// Where the file is not in the page cache, what a start reads of it is asked for at once, and no more is read
// around each page than that.
static void read_ahead(void) {
  enum { PAGE = 0x1000, LOOKED_AT = 16 };
  unsigned char cached[LOOKED_AT], all = 1; // a byte for each page, of which there may be fewer
  for (int i = 0; i < LOOKED_AT; i++) cached[i] = 1;
  if (sys(SYS_mincore, (long)payload.hot[0].start, LOOKED_AT * PAGE, (long)cached, 0)) return;
  for (int i = 0; i < LOOKED_AT; i++) all &= cached[i];
  if (all & 1) return;
  sys(SYS_madvise, (long)payload.image.start, (long)payload.image.size, MADV_RANDOM, 0);
  for (int i = 0; i < HOT; i++) sys(SYS_madvise, (long)payload.hot[i].start, (long)payload.hot[i].size, MADV_WILLNEED, 0);
}

static void set_thread_pointer(word value) {
#if defined(__x86_64__)
  sys(SYS_arch_prctl, ARCH_SET_FS, (long)value, 0, 0);
#else
  __asm__ volatile("msr tpidr_el0, %0" ::"r"(value));
#endif
}

// Called by _start with the stack as the kernel has made it.
__attribute__((used)) _Noreturn void thaw(word *stack) {
  word blocked = check_file_and_block_signals();
  word ignored = stop_ignoring_signals((word)thaw);
  hold_closed_standard_fds();
  read_ahead();

  // Where another mapping is in the way, or the address space is limited, V8 goes on without until it
  // needs more of it: that ends in a line of its own.
  sys6(SYS_mmap, (long)payload.reserved.start, (long)payload.reserved.size, 0,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

  struct frozen *frozen = payload.frozen;
  set_thread_pointer(frozen->thread_pointer);
  long id = sys(SYS_set_tid_address, 0, 0, 0, 0);
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
