// What differs between the architectures: how a system call is made, their numbers
// (asm/unistd.h), and the few instructions before and after launch(). And what more than one of the C
// parts needs.

// The smallest that there is on either architecture, where pages are of 4 KiB.
enum { HUGE_PAGE = 0x200000 };

struct jump {
  unsigned long stack, entry;
};

#if defined(__x86_64__)

enum {
  SYS_write = 1, SYS_close = 3, SYS_mmap = 9, SYS_mprotect = 10, SYS_munmap = 11, SYS_brk = 12, SYS_rt_sigaction = 13, SYS_rt_sigprocmask = 14, SYS_mremap = 25, SYS_madvise = 28, SYS_fcntl = 72, SYS_exit_group = 231, SYS_openat = 257,
  SYS_newfstatat = 262, SYS_prlimit64 = 302, SYS_fallocate = 285, SYS_memfd_create = 319, SYS_pwrite64 = 18, SYS_ftruncate = 77,
  SYS_io_uring_setup = 425,
};

static inline long sys6(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

#ifdef LAUNCHER
__asm__(".globl _start\n"
        "_start:\n"
        "  xor %ebp, %ebp\n"
        "  mov %rsp, %rdi\n"
        "  sub $4096, %rsp\n" // STACK_WORDS
        "  mov %rsp, %rsi\n"
        "  call launch\n"
        "  mov %rax, %rsp\n"
        "  jmp *%rdx\n");
#endif

#elif defined(__aarch64__)

enum {
  SYS_fcntl = 25, SYS_openat = 56, SYS_close = 57, SYS_write = 64, SYS_newfstatat = 79, SYS_exit_group = 94,
  SYS_rt_sigaction = 134, SYS_rt_sigprocmask = 135, SYS_prlimit64 = 261, SYS_memfd_create = 279,
  SYS_ftruncate = 46, SYS_fallocate = 47, SYS_pwrite64 = 68, SYS_brk = 214, SYS_munmap = 215, SYS_mremap = 216, SYS_mmap = 222, SYS_mprotect = 226,
  SYS_madvise = 233, SYS_io_uring_setup = 425,
};

static inline long sys6(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c, x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
}

#ifdef LAUNCHER
__asm__(".globl _start\n"
        "_start:\n"
        "  mov x29, #0\n"
        "  mov x30, #0\n"
        "  mov x0, sp\n"
        "  sub sp, sp, #4096\n" // STACK_WORDS
        "  mov x1, sp\n"
        "  bl launch\n"
        "  mov sp, x0\n"
        "  br x1\n");
#endif

#else
#error "dumb-init is built for x86_64 and aarch64"
#endif

static inline long sys(long number, long a, long b, long c, long d, long e) { return sys6(number, a, b, c, d, e, 0); }

// So that nobody can change a memfd any more (fcntl(2), linux/fcntl.h).
static inline void seal(long fd) {
  enum { F_ADD_SEALS = 1033, SEAL_ALL = 0xf };
  sys(SYS_fcntl, fd, F_ADD_SEALS, SEAL_ALL, 0, 0);
}
