/** What the build and the C of src/image must agree on; test/unit/layout.test.ts holds both sides together. */

/** Kernels before 5.18 want the program headers within one page (fs/binfmt_elf.c, load_elf_phdrs). */
export const MOST_HEADERS = 73;

/** How many ranges of what a start reads the thaw has room for, and how many bytes of the first it looks at. */
export const HOT = 96;
export const LOOKED_AT = 16 * 0x1000;

/**
 * The main thread's stack, in bytes, for V8. With its guard page it fills whole pages of any size, so that it shares
 * none with the loader, which comes next.
 */
export const STACK = (6 << 20) - 0x1000;
