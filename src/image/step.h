// What a child does before its exec, one system call after another, as src/libc/child-steps.ts has written it down. A
// test holds both sides together.

enum { PUT_OWN_PID = 0xffff }; // not a system call: writes the child's PID to an address

struct step {
  word call, arguments[4];
  word if_step, if_error; // only if that step has ended with this errno; 0: always
  word goes_on[2];        // after which errors the next step follows: bit n for errno n, the last for all beyond
  word otherwise;         // the step that follows any other error
  long result;
};
