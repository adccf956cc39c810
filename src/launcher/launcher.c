// The launcher: the only part of dumb-init that the kernel starts. It needs no libc, reads no file,
// and knows nothing of an init's job; it makes a dynamically linked Node program start in any root.
//
// The kernel has mapped everything already: Node, the dynamic loader and the libraries are PT_LOAD
// segments of this one executable (scripts/pack.ts wrote the headers, and the table below). What is
// left to do is what a kernel does for a program with an interpreter, plus a clean environment:
//
//   1. block every signal, so that none is lost before the program can wait for it;
//   2. put something that behaves as closed on those of fds 0-2 that are closed;
//   3. put the libraries into memfds, since the loader takes libraries by path only: what it reads
//      of them before it calls share.c, which maps the rest;
//   4. write a new initial stack (one argument, a clean environment, the kernel's auxiliary vector)
//      and jump to the loader.
//
// README.md in this folder says what is trusted, mapped and refused.

#include "arch.h"

#define MAX_LIBRARIES 16
#define SPARE_FDS 20
#define HOT 2
#define TOLD 11
#define STACK_WORDS 512 // the block that _start reserves below the kernel's stack

typedef unsigned long word;

// Written by scripts/pack.ts, which knows this layout: addresses in this process, sizes in bytes.
struct payload {
  word file_size;   // of the whole executable
  word node_entry;  // AT_ENTRY
  word node_phdr;   // AT_PHDR
  word node_phnum;  // AT_PHNUM
  word loader_base; // AT_BASE
  word loader_entry;
  struct {
    word start, size;
  } hot[HOT], // what nearly every page of is read at the start
      text, constants; // of Node: never written to
  word libraries;   // how many rows of library[] count; the first is share.so, the last the addon
  struct {
    word start, size;
    word head, tail; // what the loader needs of it: the bytes before head, and those from tail on
    char name[32]; // the SONAME, shown in /proc/PID/maps
  } library[MAX_LIBRARIES];
  word sum; // of all words before it
};
// Made by the assembler, so that no compiler can take the zeros that stand here for its last word.
extern const struct payload payload;
__attribute__((used)) static void define_payload(void) {
  __asm__(".pushsection .payload, \"a\"\n"
          ".balign 8\n"
          ".globl payload\n"
          "payload: .zero %c0\n"
          ".popsection\n" ::"i"(sizeof payload));
}

// Strings that the loader and Node keep pointers to, so they live as long as the process.
static char audit[32];
static char preload[16 + MAX_LIBRARIES * 24];
static char handover[32 + (TOLD + MAX_LIBRARIES) * 21];
// malloc asks the kernel for memory once, not twenty times, marks it for huge pages, and shares one arena
// among the threads. Not constant: the loader writes into it while it parses.
static char tunables[] = "GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.top_pad=2621440:glibc.malloc.arena_max=1";

// Constants of linux/fcntl.h, linux/memfd.h, linux/auxvec.h and asm-generic/errno-base.h.
enum {
  AT_FDCWD = -100, O_PATH = 010000000, O_CLOEXEC = 02000000, AT_EMPTY_PATH = 0x1000,
  F_DUPFD = 0, F_GETFD = 1,
  MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2, MFD_EXEC = 0x10,
  ENOENT = 2, EINTR = 4, EBADF = 9, EINVAL = 22, MADV_POPULATE_READ = 22,
  AT_NULL = 0, AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_BASE = 7, AT_ENTRY = 9, AT_SECURE = 23,
  RLIMIT_FSIZE = 1, RLIMIT_DATA = 2, RLIMIT_STACK = 3, RLIMIT_NOFILE = 7, RLIMIT_AS = 9,
  SIG_SETMASK = 2, SIGCHLD = 17, SIZE_IN_STAT = 48, PHDR_SIZE = 56,
  HEAP_BEFORE = 0x80000,
};

static char *append(char *to, const char *from) {
  while (*from) *to++ = *from++;
  *to = 0;
  return to;
}

static char *append_number(char *to, word n, word base) {
  char digits[24];
  int i = sizeof digits;
  do digits[--i] = "0123456789abcdef"[n % base];
  while (n /= base);
  while (i < (int)sizeof digits) *to++ = digits[i++];
  *to = 0;
  return to;
}

// One line on stderr, status 1. errno is given as a number: there is no libc to name it.
static void die(const char *what, long error) {
  char line[200], *end = append(append(line, "[dumb-init] "), what);
  if (error) end = append(append_number(append(end, " (errno="), (word)-error, 10), ")");
  end = append(end, ". Exiting.\n");
  sys(SYS_write, 2, (long)line, end - line, 0, 0);
  for (;;) sys(SYS_exit_group, 1, 0, 0, 0, 0);
}

// With a damaged table the jump would go anywhere, and might never end. Every change of one word changes
// the sum: each step is one-to-one (FNV-1a, by words).
static void check_table(void) {
  word sum = 0;
  for (const word *each = (const word *)&payload; each < &payload.sum; each++) sum = (sum ^ *each) * 0x100000001b3;
  if (sum != payload.sum) die("The executable is truncated or damaged", 0);
}

// O_PATH on "/" behaves as closed for read, write and ioctl (EBADF), and being close-on-exec it is
// closed for the child. Node only sees that the number is taken, and opens no /dev/null there.
static void hold_closed_standard_fds(void) {
  for (int fd = 0; fd < 3; fd++)
    if (sys(SYS_fcntl, fd, F_GETFD, 0, 0, 0) == -EBADF) {
      long got = sys(SYS_openat, AT_FDCWD, (long)"/", O_PATH | O_CLOEXEC, 0, 0);
      if (got < 0) die("Unable to open /", got);
    }
}

// Below these Node ends in a crash dump, or in a wild jump.
static void check_limits(void) {
  static const struct {
    int resource, kib;
    const char *refusal;
  } floors[] = {
    {RLIMIT_AS, 1536 << 10, "The limit of address space (ulimit -v) is below 1536 MiB"},
    {RLIMIT_DATA, 640 << 10, "The limit of data (ulimit -d) is below 640 MiB"},
    {RLIMIT_STACK, 512, "The limit of the stack (ulimit -s) is below 512 KiB"},
  };
  for (unsigned i = 0; i < sizeof floors / sizeof *floors; i++) {
    word limit[2] = {~0UL, ~0UL}; // soft, hard
    sys(SYS_prlimit64, 0, floors[i].resource, 0, (long)limit, 0);
    if (limit[0] >> 10 < (word)floors[i].kib) die(floors[i].refusal, 0);
  }
}

// Node needs this many file descriptors besides those of the libraries.
static void check_free_fds(void) {
  long fds[SPARE_FDS];
  for (int i = 0; i < SPARE_FDS; i++)
    if ((fds[i] = sys(SYS_fcntl, 2, F_DUPFD, 0, 0, 0)) < 0) die("Too few file descriptors (ulimit -n)", fds[i]);
  for (int i = 0; i < SPARE_FDS; i++) sys(SYS_close, fds[i], 0, 0, 0, 0);
}

// The memfds count as files, and Node opens some more of them: a soft limit that is meant for the
// command may be too low for that. It is raised as far as it may be; the program puts it back.
static word raise_soft_limit(int resource) {
  word limit[2] = {~0UL, ~0UL}; // soft, hard
  sys(SYS_prlimit64, 0, resource, 0, (long)limit, 0);
  sys(SYS_prlimit64, 0, resource, (long)(word[2]){limit[1], limit[1]}, 0, 0);
  return limit[0];
}

static void copy(long fd, word start, word from, word to) {
  while (from < to) {
    long n = sys(SYS_pwrite64, fd, (long)(start + from), (long)(to - from), (long)from, 0);
    if (n == -EINTR) continue;
    if (n <= 0) die("Unable to copy the libraries into memory", n);
    from += (word)n;
  }
}

// A library in a memfd, gone with the last process that maps it. share.c maps what is left out, and
// seals it; share.c's own is whole, and sealed here.
static long library_fd(int i) {
  long name = (long)payload.library[i].name;
  long fd = sys(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC, 0, 0, 0);
  if (fd == -EINVAL) // before Linux 6.3 there is no MFD_EXEC
    fd = sys(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING, 0, 0, 0);
  if (fd < 0) die("Unable to create a memfd for the libraries", fd);
  copy(fd, payload.library[i].start, 0, payload.library[i].head);
  copy(fd, payload.library[i].start, payload.library[i].tail, payload.library[i].size);
  return fd;
}

// The kernel changes its mind about none of these; everything else in the vector is passed on.
// AT_SECURE (set for a binary with file capabilities) would make the loader drop LD_PRELOAD. It
// guards against a hostile environment, which is not passed to the loader at all: 0 is safe here.
static word auxiliary(word type, word value) {
  switch (type) {
  case AT_PHDR: return payload.node_phdr;
  case AT_PHNUM: return payload.node_phnum;
  case AT_PHENT: return PHDR_SIZE;
  case AT_ENTRY: return payload.node_entry;
  case AT_BASE: return payload.loader_base;
  case AT_SECURE: return 0;
  default: return value;
  }
}

// Called by _start with the kernel's stack and STACK_WORDS free words below it. Returns the new
// stack pointer and where to jump, in the two return registers.
struct jump launch(word *kernel_stack, word *stack) {
  word all = ~0UL, blocked = 0;
  sys(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&blocked, sizeof all, 0);

  // A caller that ignores SIGCHLD would have us inherit it: no child would leave a status. Any handler
  // will do; blocked, it never runs. (SIG_DFL would drop a pending one.)
  const word handler[4] = {(word)launch}; // handler, flags, restorer or mask, mask
  sys(SYS_rt_sigaction, SIGCHLD, (long)handler, 0, sizeof all, 0);

  word argc = kernel_stack[0], *argv = kernel_stack + 1, *envp = argv + argc + 1, *aux = envp;
  while (*aux++) continue;

  check_table();
  // Opened, not only looked at: qemu-user answers for the program it runs when the link is opened,
  // and for itself otherwise. O_PATH asks for no permission to read.
  char stat[256];
  long self = sys(SYS_openat, AT_FDCWD, (long)"/proc/self/exe", O_PATH | O_CLOEXEC, 0, 0);
  if (self < 0) die(self == -ENOENT ? "/proc is needed and not mounted" : "Unable to open /proc/self/exe", self);
  long error = sys(SYS_newfstatat, self, (long)"", (long)stat, AT_EMPTY_PATH, 0);
  if (error) die("Unable to look at the executable", error);
  sys(SYS_close, self, 0, 0, 0, 0);
  if (*(word *)(stat + SIZE_IN_STAT) != payload.file_size) die("The executable is truncated or damaged", 0);

  check_limits();
  hold_closed_standard_fds();

  // One call each in place of hundreds of page faults; a kernel before 5.14 does not know it, and the
  // faults happen as ever.
  for (int i = 0; i < HOT; i++)
    sys(SYS_madvise, (long)payload.hot[i].start, (long)payload.hot[i].size, MADV_POPULATE_READ, 0, 0);

  // The heap of malloc gets its huge page (guard.c) after HEAP_BEFORE bytes: together as much as is used.
  word heap = (word)sys(SYS_brk, 0, 0, 0, 0, 0) + HEAP_BEFORE;
  sys(SYS_brk, (long)((heap + HUGE_PAGE - 1) & -(word)HUGE_PAGE) - HEAP_BEFORE, 0, 0, 0, 0);

  // What the program is told: where the kernel's own arguments and environment are and how many of
  // each, the soft limits as they were, which memory is given back once all is quiet, the signal mask
  // as it was, and the memfds, which lie between the caller's own fds.
  const word told[TOLD] = {argc, (word)argv, (word)(aux - envp - 1), (word)envp,
                           raise_soft_limit(RLIMIT_FSIZE), raise_soft_limit(RLIMIT_NOFILE),
                           payload.constants.start, payload.constants.size, payload.text.start, payload.text.size,
                           blocked};
  char *tell = append(handover, "DUMB_INIT_HANDOVER=");
  for (int i = 0; i < TOLD; i++) tell = append(append_number(tell, told[i], 10), " ");

  char *end = append(preload, "LD_PRELOAD=");
  int addon = (int)payload.libraries - 1;
  for (int i = 0; i <= addon; i++) {
    word fd = (word)library_fd(i);
    tell = append(append_number(tell, fd, 10), i < addon ? " " : "");
    if (i == 0) {
      append_number(append(audit, "LD_AUDIT=/proc/self/fd/"), fd, 10);
      seal((long)fd);
    } else if (i < addon) end = append_number(append(end, i > 1 ? ":/proc/self/fd/" : "/proc/self/fd/"), fd, 10);
  }
  check_free_fds();

  word *top = stack;
  *top++ = 1; // argc: the arguments are the program's, not Node's
  *top++ = argc ? argv[0] : (word) "dumb-init";
  *top++ = 0;
  *top++ = (word)audit;
  *top++ = (word)preload;
  *top++ = (word)handover;
  *top++ = (word) "OPENSSL_CONF="; // an empty path: no configuration is read
  *top++ = (word)tunables;
  *top++ = 0;
  do {
    if (top > stack + STACK_WORDS - 2) die("The auxiliary vector is too long", 0);
    *top++ = aux[0];
    *top++ = auxiliary(aux[0], aux[1]);
    aux += 2;
  } while (aux[-2] != AT_NULL);
  return (struct jump){(word)stack, payload.loader_entry};
}
