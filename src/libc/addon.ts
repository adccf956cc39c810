/**
 * Stands in for the `ffi-rs` package in the bundle (scripts/bundle.ts has the alias): the package's
 * own loader probes the platform and costs milliseconds; the addon itself is what the launcher put
 * into the last of its memfds.
 */
import type * as ffi from 'ffi-rs';
import { handover } from './handover.ts';

const holder = { exports: {} as typeof ffi };
process.dlopen(holder, `/proc/self/fd/${handover.memfds.at(-1)}`);

export const { DataType, load, open, createExternalBuffer } = holder.exports;
