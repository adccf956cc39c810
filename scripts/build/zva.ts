/** memset on aarch64, whose fastest way is not the same on every processor. */
import type { Piece } from './segments.ts';

/** Instructions of aarch64 (Arm Architecture Reference Manual, C6). */
const DC_ZVA = (word: number) => (word & 0xffffffe0) >>> 0 === 0xd50b7420;
const MRS_DCZID = (word: number) => (word & 0xffffffe0) >>> 0 === 0xd53b00e0;
const TST_W1_FF = 0x72001c3f;
const B_NE = (word: number) => (word & 0xff00001f) >>> 0 === 0x54000001;
/** So many instructions before it uses `dc zva`, a memset has decided to. */
const DECIDED_BEFORE = 32;

/**
 * memset was chosen for this machine's processor, where `dc zva` zeroes 64 bytes at once; elsewhere it zeroes
 * more. Where code uses it without asking the processor how much that is, the branch is always taken that goes
 * without, as if the byte to fill with weren't 0.
 */
export function withoutZva({ start, bytes }: Piece): void {
  const code = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  code.forEach((word, at) => {
    if (!DC_ZVA(word)) return;
    const before = [...code.subarray(Math.max(0, at - DECIDED_BEFORE), at)];
    if (before.some(MRS_DCZID)) return;
    const test = before.findLastIndex((each, i) => each === TST_W1_FF && B_NE(before[i + 1] ?? 0));
    if (test < 0) throw new Error(`the dc zva at 0x${(start + at * 4).toString(16)} can't be avoided`);
    const branch = at - before.length + test + 1;
    const offset = ((code[branch] ?? 0) << 8) >> 13; // imm19, signed
    code[branch] = (0x14000000 | (offset & 0x3ffffff)) >>> 0;
  });
}
