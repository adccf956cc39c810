/**
 * `struct frozen` of src/image/frozen.h: what the freeze, the packer and the thaw write down for each other
 * and for the program. All fields are words of 8 bytes; test/unit/layout.test.ts holds both sides together.
 */

/** How many ranges of memory that is never written there is room for. */
export const MAX_CLEAN = 24;

const FIELDS = [
  // the freeze
  'stack',
  'wake',
  'thread_pointer',
  'thread_id',
  'canary',
  'pointer_guard',
  'tcache_key',
  'env',
  'receiver',
  'callback',
  // the packer: a start and a size each
  'clean',
  // the thaw
  'argc',
  'argv',
  'envc',
  'envp',
  'blocked',
  'ignored',
  'pid',
  'parent',
] as const;

export type Field = (typeof FIELDS)[number];

const WORD = 8;

/** Offset of each field in bytes. */
export const OFFSETS = Object.fromEntries(
  FIELDS.map((field, i) => [field, (i + (i > FIELDS.indexOf('clean') ? 2 * MAX_CLEAN - 1 : 0)) * WORD]),
) as Record<Field, number>;

export const SIZEOF_FROZEN = OFFSETS.parent + WORD;
