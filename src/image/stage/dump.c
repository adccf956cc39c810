// The dump: all memory of the process, as it is.

#include "stage.h"

#define NO_MORE 0x8000000000UL // what lies beyond is the kernel's

long create(const char *path) {
  enum { O_WRONLY = 1, O_CREAT = 0100, O_TRUNC = 01000 };
  return sys_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
}

void write_all(long fd, const void *from, word size) {
  for (const char *at = from; size;) {
    long n = sys_write((int)fd, at, size > 1 << 28 ? 1 << 28 : size);
    if (n <= 0) die("stage: the dump can't be written\n");
    at += n, size -= (word)n;
  }
}

static word hex(const char **text) {
  word value = 0;
  for (;; ++*text) {
    int c = **text, digit = c >= 'a' ? c - 'a' + 10 : c - '0';
    if (digit < 0 || digit > 15) return value;
    value = value * 16 + (word)digit;
  }
}

const char *parse_mapping(const char *line, struct mapping *mapping) {
  mapping->start = hex(&line);
  line++;
  mapping->end = hex(&line);
  mapping->readable = line[1] == 'r';
  while (*line && *line++ != '\n') continue;
  return line;
}

// The text of /proc/self/maps (proc_pid_maps(5)).
void read_maps(char *maps) {
  int in = (int)sys_open("/proc/self/maps", 0, 0);
  word size = 0;
  for (long n; (n = sys_read(in, maps + size, MAPS_SIZE - 1 - size)) > 0;) size += (word)n;
  if (size == MAPS_SIZE - 1) die("stage: there are more mappings than expected\n");
  maps[size] = 0;
}

// maps: the text of /proc/self/maps. memory: of each mapping that can be read but the threads' stacks its
// start and end, then its bytes; two zeros at the end.
__attribute__((noinline)) void dump(void) {
  char maps[MAPS_SIZE];
  read_maps(maps);
  word size = 0;
  while (maps[size]) size++;
  write_all(create("maps"), maps, size);
  long memory = create("memory");
  struct mapping mapping;
  for (const char *line = maps; *line;) {
    line = parse_mapping(line, &mapping);
    if (!mapping.readable || (mapping.start >= STACKS && mapping.start < STACKS_END) || mapping.start >= NO_MORE) continue;
    const struct range range = {mapping.start, mapping.end};
    write_all(memory, &range, sizeof range);
    write_all(memory, (const void *)range.start, mapping.end - mapping.start);
  }
  const word zeros[2] = {0, 0};
  write_all(memory, zeros, sizeof zeros);
}
