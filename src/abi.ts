/**
 * Numbers and layouts of the C ABI that the program needs. They are the same on x86_64 and aarch64
 * Linux with glibc, but for the number of a system call; test/unit/abi.test.ts holds each against the headers.
 * Facts, not policy: this file imports nothing, and whoever needs it may import it.
 */

// errno.h
export const ENOENT = 2;
export const EINTR = 4;
export const ENXIO = 6;
export const ENOEXEC = 8;
export const EBADF = 9;
export const ECHILD = 10;
export const EACCES = 13;
export const ENODEV = 19;
export const ENOTDIR = 20;
export const ENOTTY = 25;
export const EFBIG = 27;
export const EPIPE = 32;
export const ETIMEDOUT = 110;
export const ESTALE = 116;

// fcntl.h
export const O_RDWR = 2;
export const O_CLOEXEC = 0o2000000;

// limits.h
export const PATH_MAX = 4096;

// sys/ioctl.h
export const TIOCNOTTY = 0x5422;
export const TIOCSCTTY = 0x540e;
export const TIOCSPGRP = 0x5410;

// sys/prctl.h
export const PR_SET_PDEATHSIG = 1;
export const PR_SET_CHILD_SUBREAPER = 36;
export const PR_GET_CHILD_SUBREAPER = 37;

// sys/wait.h
export const P_ALL = 0;
export const WNOHANG = 1;
export const WEXITED = 4;
export const WNOWAIT = 0x1000000;

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
export const CLOCK_BOOTTIME = 7;
export const SIZEOF_TIMESPEC = 16;

// termios.h
export const SIZEOF_TERMIOS = 60;

// pointers, and the arrays of them that are argv and envp
export const SIZEOF_POINTER = 8;

// poll.h
export const POLLOUT = 4;
export const SIZEOF_POLLFD = 8;

// sys/socket.h
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;

// sys/mman.h
export const MADV_DONTNEED = 4;

// asm/signal.h, as system calls take them
export const SIZEOF_KERNEL_SIGSET = 8;
export const SIZEOF_KERNEL_SIGACTION = 32;

/** asm/unistd.h: the numbers of system calls that the command's process makes. */
export const SYSTEM_CALLS =
  process.arch === 'x64'
    ? {
        ioctl: 16,
        rt_sigaction: 13,
        rt_sigprocmask: 14,
        getpid: 39,
        execve: 59,
        setpgid: 109,
        setsid: 112,
        exit_group: 231,
      }
    : {
        ioctl: 29,
        exit_group: 94,
        rt_sigaction: 134,
        rt_sigprocmask: 135,
        setpgid: 154,
        setsid: 157,
        getpid: 172,
        execve: 221,
      };
