// What makes the libraries cost nothing: the loader takes them from memfds, but all of a library that
// is never written is mapped from the executable itself, where every container of a host shares it.
//
// An audit library (rtld-audit(7)): the loader calls it for each object that it has mapped, before
// it relocates or runs anything of it. The memfd holds only what the loader reads until then: the
// headers, the dynamic symbols, and the segment that will be written. The kernel has mapped the
// whole library, as data, with the executable; those pages are now moved to where they belong.

#include "arch.h"

struct link_map { // link.h
  unsigned long base;
  const char *name;
};

struct header { // elf.h
  char ident[32];
  unsigned long program_headers;
  unsigned long source; // e_shoff, which the loader does not read: scripts/pack.ts puts the address here
  char rest[8];
  unsigned short count;
};

struct program_header {
  unsigned type, flags;
  unsigned long offset, address, physical, stored, size, align;
};

enum {
  PT_LOAD = 1, PF_X = 1, PF_W = 2, PF_R = 4, PROT_READ = 1, PROT_EXEC = 4,
  MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, KEEP_SIZE = 1, PUNCH_HOLE = 2,
};

static void check(long result) {
  static const char line[] = "[dumb-init] Unable to map the libraries. Exiting.\n";
  if (result >= 0 || result < -4095) return;
  sys(SYS_write, 2, (long)line, sizeof line - 1, 0, 0);
  for (;;) sys(SYS_exit_group, 1, 0, 0, 0, 0);
}

unsigned la_version(unsigned version) { return version; }

unsigned la_objopen(struct link_map *map, long namespace, unsigned long *cookie) {
  (void)namespace, (void)cookie;
  static const char folder[] = "/proc/self/fd/";
  for (unsigned i = 0; i < sizeof folder - 1; i++)
    if (map->name[i] != folder[i]) return 0; // Node and the loader: the kernel has mapped them
  long fd = 0;
  for (const char *digit = map->name + sizeof folder - 1; *digit; digit++) fd = fd * 10 + *digit - '0';

  const struct header *header = (const void *)map->base;
  unsigned long source = header->source;
  const struct program_header *part = (const void *)(map->base + header->program_headers);
  unsigned long written = 0; // where in the file the writable segment begins
  for (int left = header->count; left > 0; left--, part = (const void *)((unsigned long)part + sizeof *part)) {
    if (part->type != PT_LOAD) continue;
    if (part->flags & PF_W) {
      if (!written) written = part->offset;
      continue;
    }
    unsigned long to = map->base + part->address, size = part->stored;
    int rights = PROT_READ | (part->flags & PF_X ? PROT_EXEC : 0);
    check(sys(SYS_mremap, (long)(source + part->offset), (long)size, (long)size, MREMAP_MAYMOVE | MREMAP_FIXED, (long)to));
    check(sys(SYS_mprotect, (long)to, (long)size, rights, 0, 0));
  }
  // Of the memfd only the writable segment is still needed; nothing can change it from here on.
  sys(SYS_fallocate, fd, PUNCH_HOLE | KEEP_SIZE, 0, (long)written, 0);
  seal(fd);
  return 0;
}
