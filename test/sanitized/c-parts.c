// Runs what is not start-up code of src/launcher, built with AddressSanitizer and
// UndefinedBehaviorSanitizer, on random input: launch() on command lines, environments, auxiliary
// vectors and tables of any shape, and la_objopen() on libraries of any shape. Each time it is a
// process of its own, in which nothing may come on standard error but the line that must come.
//   c-parts SEED ROUNDS
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef unsigned long word;
enum { FIELDS = 15, LIBRARIES = 16, ROW = 8, WORDS = FIELDS + LIBRARIES * ROW + 1, STACK_WORDS = 512, PAGE = 4096 };

extern word payload[WORDS]; // launcher.c; read-only
struct jump { word stack, entry; };
struct jump launch(word *kernel_stack, word *stack);
struct link_map { word base; const char *name; };
unsigned la_objopen(struct link_map *map, long namespace, word *cookie);

static unsigned below(unsigned limit) { return (unsigned)random() % limit; }

#define CHECK(condition) \
  do if (!(condition)) dprintf(2, "%s:%d: %s\n", __FILE__, __LINE__, #condition), _exit(98); \
  while (0)

static char *noise(size_t size) {
  char *bytes = malloc(size + 1);
  for (size_t i = 0; i < size; i++) bytes[i] = (char)(1 + below(255));
  bytes[size] = 0;
  return bytes;
}

static void seal(void) {
  word sum = 0;
  for (int i = 0; i < WORDS - 1; i++) sum = (sum ^ payload[i]) * 0x100000001b3;
  payload[WORDS - 1] = sum;
}

// A table of up to 16 libraries, and what the process is started with.
static void run_launcher(int aux_pairs, int damage) {
  struct stat self;
  CHECK(stat("/proc/self/exe", &self) == 0);
  CHECK(mprotect((void *)((word)payload & -(word)PAGE), 2 * PAGE, PROT_READ | PROT_WRITE) == 0);
  int libraries = 2 + (int)below(LIBRARIES - 1);
  word *row = payload + FIELDS;
  payload[0] = (word)self.st_size;
  for (int i = 1; i < FIELDS - 1; i++) payload[i] = (word)random() << below(33);
  for (int i = 6; i < 10; i += 2) payload[i] = (word)row & -(word)PAGE, payload[i + 1] = PAGE; // is read ahead
  payload[FIELDS - 1] = (word)libraries;
  for (int i = 0; i < libraries; i++) {
    word *library = row + i * ROW;
    library[1] = below(200000);
    library[0] = (word)noise(library[1]);
    library[3] = below((unsigned)library[1] + 1); // tail
    library[2] = below((unsigned)library[3] + 1); // head
    memset(library + 4, 'n', 31);
  }
  seal();
  if (damage) payload[below(WORDS)] ^= 1UL << below(64);

  int argc = (int)below(100), envc = (int)below(100);
  word *kernel = malloc((size_t)(argc + envc + 3 + 2 * (aux_pairs + 1)) * sizeof(word)), *at = kernel;
  *at++ = (word)argc;
  for (int i = 0; i < argc; i++) *at++ = (word)noise(below(1000));
  *at++ = 0;
  for (int i = 0; i < envc; i++) *at++ = (word)noise(below(1000));
  *at++ = 0;
  const word *aux = at;
  for (int i = 0; i < aux_pairs; i++) *at++ = 1 + below(60), *at++ = (word)random();
  *at++ = AT_NULL, *at++ = 0;

  if (below(4) == 0) close(0);
  if (below(4) == 0) close(1);
  if (below(16) == 0) { // the memfds get numbers of many digits
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    for (word fd = 3; fd < 200000 && fd + 100 < files.rlim_cur; fd++) dup2(2, (int)fd);
  }

  word *stack = malloc(STACK_WORDS * sizeof(word));
  struct jump jump = launch(kernel, stack);

  CHECK(jump.entry == payload[5] && jump.stack == (word)stack);
  CHECK(stack[0] == 1 && stack[2] == 0);
  CHECK(argc ? stack[1] == kernel[1] : !strcmp((char *)stack[1], "dumb-init"));
  static const char *const names[] = {"LD_AUDIT=", "LD_PRELOAD=", "DUMB_INIT_HANDOVER=", "OPENSSL_CONF=", "GLIBC_TUNABLES="};
  for (int i = 0; i < 5; i++) CHECK(!strncmp((char *)stack[3 + i], names[i], strlen(names[i])));
  CHECK(stack[8] == 0);
  const word *new = stack + 9;
  for (;; aux += 2, new += 2) {
    CHECK(new[0] == aux[0]);
    switch (aux[0]) {
    case AT_PHDR: CHECK(new[1] == payload[2]); break;
    case AT_PHNUM: CHECK(new[1] == payload[3]); break;
    case AT_PHENT: CHECK(new[1] == sizeof(Elf64_Phdr)); break;
    case AT_ENTRY: CHECK(new[1] == payload[1]); break;
    case AT_BASE: CHECK(new[1] == payload[4]); break;
    case AT_SECURE: CHECK(new[1] == 0); break;
    default: CHECK(new[1] == aux[1]);
    }
    if (aux[0] == AT_NULL) break;
  }
  // What was handed over ends with the memfds, in which the libraries' heads and tails are.
  char *told = (char *)stack[5] + strlen("DUMB_INIT_HANDOVER=");
  for (int i = 0; i < 11; i++) {
    word number = strtoul(told, &told, 10);
    if (i == 0) CHECK(number == (word)argc);
    if (i == 1) CHECK(number == (word)(kernel + 1));
    if (i == 2) CHECK(number == (word)envc);
    if (i == 3) CHECK(number == (word)(kernel + argc + 2));
  }
  for (int i = 0; i < libraries; i++) {
    word *library = row + i * ROW;
    int fd = (int)strtol(told, &told, 10);
    char *bytes = malloc(library[1] + 1);
    CHECK(pread(fd, bytes, library[1] + 1, 0) == (ssize_t)(library[3] < library[1] ? library[1] : library[2]));
    CHECK(!memcmp(bytes, (char *)library[0], library[2]));
    CHECK(!memcmp(bytes + library[3], (char *)library[0] + library[3], library[1] - library[3]));
  }
  CHECK(*told == 0);
}

// A library of one to four read-only segments and a writable one, in the executable and as the loader
// has mapped it from a memfd.
static void run_share(void) {
  int parts = 1 + (int)below(4), fd = memfd_create("library", MFD_ALLOW_SEALING);
  word pages[5], total = 0;
  for (int i = 0; i <= parts; i++) total += pages[i] = 1 + below(8);
  const word size = total * PAGE;
  char *source = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *base = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (word i = sizeof(Elf64_Ehdr) + 6 * sizeof(Elf64_Phdr); i < size; i++) source[i] = (char)random();
  Elf64_Ehdr *header = (void *)source;
  *header = (Elf64_Ehdr){.e_phoff = sizeof *header, .e_shoff = (word)source, .e_phnum = (Elf64_Half)(parts + 2)};
  Elf64_Phdr *part = (void *)(source + sizeof *header);
  *part++ = (Elf64_Phdr){.p_type = PT_NOTE, .p_flags = PF_R, .p_offset = 1, .p_filesz = 1};
  word offset = 0;
  for (int i = 0; i <= parts; offset += pages[i++] * PAGE)
    *part++ = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = i == parts ? PF_R | PF_W : below(2) ? PF_R : PF_R | PF_X,
                           .p_offset = offset, .p_vaddr = offset, .p_filesz = pages[i] * PAGE - (i == parts ? 1 : 0)};
  CHECK(write(fd, source, size) == (ssize_t)size);
  char *expected = malloc(size);
  memcpy(expected, source, size);
  memcpy(base, source, PAGE); // what the loader has read
  memcpy(base + size - pages[parts] * PAGE, source + size - pages[parts] * PAGE, pages[parts] * PAGE);

  char name[32];
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  la_objopen(&(struct link_map){(word)base, name}, 0, 0);
  la_objopen(&(struct link_map){1, ""}, 0, 0);
  la_objopen(&(struct link_map){1, "/proc/self/f"}, 0, 0);

  CHECK(!memcmp(base, expected, size));
  CHECK(fcntl(fd, F_GET_SEALS) == (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
}

// What must come on standard error, and the status; the rest of it is checked in the child.
static int round_as_expected(int kind) {
  static const char *const lines[] = {"", "", "[dumb-init] The executable is truncated or damaged. Exiting.\n",
                                      "[dumb-init] The auxiliary vector is too long. Exiting.\n"};
  int told[2];
  char text[65536];
  size_t length = 0;
  if (pipe(told)) return 0;
  pid_t pid = fork();
  if (pid == 0) {
    dup2(told[1], 2);
    close(told[0]);
    close(told[1]);
    if (kind == 0) run_share();
    else run_launcher(kind == 3 ? 252 + (int)below(50) : (int)below(40), kind == 2);
    _exit(0);
  }
  close(told[1]);
  for (ssize_t n; (n = read(told[0], text + length, sizeof text - 1 - length)) > 0;) length += (size_t)n;
  text[length] = 0;
  close(told[0]);
  int status, wanted = kind > 1;
  waitpid(pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == wanted && !strcmp(text, lines[kind])) return 1;
  printf("kind %d: status %x\n%s", kind, status, text);
  return 0;
}

int main(int argc, char **argv) {
  (void)argc;
  setvbuf(stdout, 0, _IONBF, 0);
  unsigned seed = (unsigned)atoi(argv[1]);
  for (int left = atoi(argv[2]); left > 0; left--, seed++) {
    srandom(seed);
    if (round_as_expected((int)below(4))) continue;
    printf("SEED=%u\n", seed);
    return 1;
  }
  return 0;
}
