/** `struct step` of src/image/step.h, in words of 8 bytes; test/unit/layout.test.ts holds both sides together. */

/** Where each field begins. */
export const STEP = { call: 0, arguments: 1, if_step: 5, if_error: 6, goes_on: 7, otherwise: 9, result: 10 } as const;
export const STEP_WORDS = 11;

/** Not a system call: it writes the child's PID, in decimal, to an address. */
export const PUT_OWN_PID = 0xffff;
