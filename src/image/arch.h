// What differs between the architectures: how a system call is made, and the calls' numbers
// (asm/unistd.h).

typedef unsigned long word;

#if defined(__x86_64__)

enum {
  SYS_read = 0,
  SYS_write = 1,
  SYS_close = 3,
  SYS_mmap = 9,
  SYS_mprotect = 10,
  SYS_munmap = 11,
  SYS_rt_sigaction = 13,
  SYS_rt_sigprocmask = 14,
  SYS_mincore = 27,
  SYS_madvise = 28,
  SYS_nanosleep = 35,
  SYS_getpid = 39,
  SYS_clone = 56,
  SYS_wait4 = 61,
  SYS_getppid = 110,
  SYS_arch_prctl = 158,
  SYS_gettid = 186,
  SYS_futex = 202,
  SYS_set_tid_address = 218,
  SYS_exit_group = 231,
  SYS_openat = 257,
  SYS_ppoll = 271,
  SYS_getrandom = 318,
  SYS_statx = 332,
  SYS_io_uring_setup = 425,
};

__attribute__((always_inline)) static inline long sys6(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

#elif defined(__aarch64__)

enum {
  SYS_openat = 56,
  SYS_close = 57,
  SYS_read = 63,
  SYS_write = 64,
  SYS_ppoll = 73,
  SYS_exit_group = 94,
  SYS_set_tid_address = 96,
  SYS_futex = 98,
  SYS_nanosleep = 101,
  SYS_rt_sigaction = 134,
  SYS_rt_sigprocmask = 135,
  SYS_getpid = 172,
  SYS_getppid = 173,
  SYS_gettid = 178,
  SYS_munmap = 215,
  SYS_clone = 220,
  SYS_mmap = 222,
  SYS_mprotect = 226,
  SYS_mincore = 232,
  SYS_madvise = 233,
  SYS_wait4 = 260,
  SYS_getrandom = 278,
  SYS_statx = 291,
  SYS_io_uring_setup = 425,
};

__attribute__((always_inline)) static inline long sys6(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c, x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
}

#else
#error "dumb-init is built for x86_64 and aarch64"
#endif

__attribute__((always_inline)) static inline long sys(long number, long a, long b, long c, long d) { return sys6(number, a, b, c, d, 0, 0); }

// The kernel returns errors as -errno; below that it is an address.
static inline int failed(long value) { return value < 0 && value > -4096; }
