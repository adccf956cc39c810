// Place: each mapping next to the last, where every kernel has room (39 bits of address).

#include "stage.h"

enum { STEP = 0x40000 }; // V8 wants its pages aligned to 256 KiB
static word next = 0x4200000000, next_stack = STACKS, last_end;

PUBLIC void *mmap64(void *address, word size, int protection, int flags, int fd, long offset) {
  word at = (word)address;
  if (!(flags & MAP_FIXED)) {
    at = next;
    last_end = at + size;
    next = (last_end + STEP - 1) & -(word)STEP;
  }
  return (void *)result((long)sys_mmap((void *)at, size, protection, flags | MAP_FIXED, fd, offset));
}
PUBLIC void *mmap(void *address, word size, int protection, int flags, int fd, long offset) {
  return mmap64(address, size, protection, flags, fd, offset);
}
// V8 asks for more than it wants, to align it, and returns the rest: that is the next one's.
PUBLIC int munmap(void *address, word size) {
  if ((word)address + size == last_end) {
    last_end = (word)address;
    next = (last_end + STEP - 1) & -(word)STEP;
  }
  return (int)result(sys_munmap(address, size));
}

// V8 keeps its pages from children, of which find_touched has one.
PUBLIC int madvise(void *start, word size, int advice) {
  enum { MADV_DONTFORK = 10 };
  return advice == MADV_DONTFORK ? 0 : (int)result(sys_madvise(start, size, advice));
}

// Memory for the stack of another thread, in a place that tells that it is not frozen.
void *new_stack(void) {
  enum { STACK_STEP = 0x1000000 };
  void *stack = sys_mmap((void *)next_stack, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  next_stack += STACK_STEP;
  return stack;
}
