/**
 * Numbers and layouts of the C ABI that the program needs. They are the same on x86_64 and aarch64
 * Linux with glibc, but for the number of a system call; test/unit/abi.test.ts holds each against the headers.
 */

// errno.h
export const ENOENT = 2;
export const EINTR = 4;
export const ENXIO = 6;
export const EBADF = 9;
export const ECHILD = 10;
export const EACCES = 13;
export const ENOTTY = 25;
export const EFBIG = 27;
export const EPIPE = 32;

// fcntl.h
export const O_RDWR = 2;
export const O_CLOEXEC = 0o2000000;

// sys/ioctl.h
export const TIOCNOTTY = 0x5422;
export const TIOCSCTTY = 0x540e;

// sys/prctl.h
export const PR_SET_PDEATHSIG = 1;
export const PR_SET_CHILD_SUBREAPER = 36;
export const PR_GET_CHILD_SUBREAPER = 37;

// sys/wait.h
export const P_ALL = 0;
export const WNOHANG = 1;
export const WEXITED = 4;
export const WNOWAIT = 0x1000000;

// sched.h
export const CLONE_VFORK = 0x4000;

// signal.h
export const SIG_DFL = 0;
export const SIG_IGN = 1;
export const SIG_SETMASK = 2;
export const SIZEOF_SIGSET_T = 128;
export const SIZEOF_SIGINFO_T = 128;
export const SI_CODE_OFFSET = 8;
export const SI_PID_OFFSET = 16;
export const SI_STATUS_OFFSET = 24;
export const SI_USER = 0;
export const CLD_EXITED = 1;
export const CLD_DUMPED = 3;

// time.h
export const CLOCK_MONOTONIC = 1;
export const SIZEOF_TIMESPEC = 16;

// termios.h
export const SIZEOF_TERMIOS = 60;

// pointers, and the arrays of them that are argv and envp
export const SIZEOF_POINTER = 8;

// sys/mman.h
export const MADV_DONTNEED = 4;

// asm/unistd.h
export const SYS_CLONE = process.arch === 'x64' ? 56 : 220;
