/**
 * Numbers and layouts of the C ABI that the program needs. They are the same on x86_64 and aarch64
 * Linux with glibc; test/unit/abi.test.ts holds each against the headers.
 */

// errno.h
export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const ENXIO = 6;
export const ENOEXEC = 8;
export const EBADF = 9;
export const ECHILD = 10;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const ENODEV = 19;
export const ENOTDIR = 20;
export const ENOTTY = 25;
export const EFBIG = 27;
export const EPIPE = 32;
export const ETIMEDOUT = 110;
export const ESTALE = 116;

// fcntl.h
export const AT_FDCWD = -100;
export const AT_EACCESS = 0x200;
export const X_OK = 1;
export const F_GETFD = 1;
export const FD_CLOEXEC = 1;
export const O_RDONLY = 0;
export const O_RDWR = 2;
export const O_NOCTTY = 0o400;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;

// limits.h
export const PATH_MAX = 4096;

// sys/ioctl.h
export const TIOCNOTTY = 0x5422;

// sys/prctl.h
export const PR_SET_PDEATHSIG = 1;
export const PR_SET_CHILD_SUBREAPER = 36;
export const PR_GET_CHILD_SUBREAPER = 37;

// sys/resource.h
export const RLIMIT_FSIZE = 1;
export const RLIMIT_NOFILE = 7;
export const SIZEOF_RLIMIT = 16;

// sys/wait.h
export const P_ALL = 0;
export const WNOHANG = 1;
export const WEXITED = 4;
export const WNOWAIT = 0x1000000;

// spawn.h
export const POSIX_SPAWN_SETPGROUP = 0x02;
export const POSIX_SPAWN_SETSIGDEF = 0x04;
export const POSIX_SPAWN_SETSIGMASK = 0x08;
export const POSIX_SPAWN_SETSID = 0x80;
export const SIZEOF_POSIX_SPAWNATTR_T = 336;
export const SIZEOF_POSIX_SPAWN_FILE_ACTIONS_T = 80;

// signal.h
export const SIG_DFL = 0;
export const SIZEOF_SIGSET_T = 128;
export const SIZEOF_SIGINFO_T = 128;
export const SI_CODE_OFFSET = 8;
export const SI_PID_OFFSET = 16;
export const SI_STATUS_OFFSET = 24;
export const SI_USER = 0;
export const CLD_EXITED = 1;
export const CLD_DUMPED = 3;

// time.h
export const SIZEOF_TIMESPEC = 16;

// termios.h
export const SIZEOF_TERMIOS = 60;

// pointers, and the arrays of them that are argv and envp
export const SIZEOF_POINTER = 8;

// sys/mman.h
export const MADV_DONTNEED = 4;
