// The stage: what exists at build time only. Preloaded before every other library while Node boots and the
// program is rehearsed, it gives memory its place (place.c), makes time and chance the same in each build
// (chance.c), lets one thread run at a time (threads.c), and at the end writes the process down (freeze.c, dump.c,
// touched.c). The packer leaves it out of the executable: what pointed to a function here points to libc's own again.

#include "../libc.h"

extern void *malloc(word), *memset(void *, int, word);
extern void free(void *);

// The same name's function in libc, which the stage takes the place of.
void *libc_own(const char *name);

// place.c: of the other threads, whose stacks are not frozen
enum { STACK_SIZE = 0x200000 };
#define STACKS 0x4f00000000UL
#define STACKS_END 0x5000000000UL
void *new_stack(void);

// Whether another thread than the main one runs.
static inline int on_own_stack(void) {
  word here = (word)__builtin_frame_address(0);
  return here >= STACKS && here < STACKS_END;
}

// chance.c
int gettid(void);
long getrandom(unsigned char *bytes, word size, unsigned flags), time(long *into);
int gettimeofday(long *time, void *zone);
void forget_times(char *statx);

// threads.c: whoever has the baton runs
void take_baton(void), give_baton(void);

// dump.c
enum { MAPS_SIZE = 1 << 16 };
void read_maps(char *maps);
// A line of /proc/self/maps. Gives the next.
struct mapping {
  word start, end;
  int readable;
};
const char *parse_mapping(const char *line, struct mapping *mapping);
long create(const char *path);
void write_all(long fd, const void *from, word size);
void dump(void);

// touched.c
void find_touched(word env, word receiver, word start);

// js_native_api.h; handles are pointers
extern int napi_get_cb_info(word, word, word *, word *, word *, void *);
extern int napi_get_undefined(word, word *);
extern int napi_call_function(word, word, word, word, const word *, word *);
extern int napi_create_function(word, const char *, word, word (*)(word, word), void *, word *);
extern int napi_create_int64(word, long, word *);
extern int napi_set_named_property(word, word, const char *, word);
