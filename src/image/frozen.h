// What the two sides of the freeze tell each other, in one struct of 8-byte words. The guard holds it, so
// it is part of the frozen memory. src/libc/frozen-layout.ts has the same names; a test holds them together.

enum { MAX_CLEAN = 24, STACK = 0x5ff000 }; // of the main thread (scripts/build/layout.ts)

struct range {
  word start, size;
};

struct frozen {
  // At the freeze, by stage/freeze.c:
  word stack;          // where the stack of the frozen program may go on, downwards
  word wake;           // the function to call there (guard.c)
  word thread_pointer; // of the main thread
  word thread_id;      // address of the int in which libc keeps the main thread's ID
  word canary;         // addresses of the stack protector's canary
  word pointer_guard;  // and of the value by which libc mangles pointers to functions
  word tcache_key;     // of malloc: random, and all over its heap
  // What to call, as handles of N-API.
  word env, receiver, callback;
  // By the packer: memory that is never written, so that it can be dropped and read anew.
  struct range clean[MAX_CLEAN];
  // At the thaw, by thaw.c: the record of this process.
  word argc, argv, envc, envp; // as the kernel laid them down
  word blocked, ignored;       // the signals that the caller blocks, and ignores: bit n-1 for signal n
  word pid, parent;
};
