/**
 * Stands in for the `ffi-rs` package in the bundle (scripts/build/bundle.ts has the alias): the package's own
 * loader probes the platform; the addon itself lies where the build has put it (scripts/build/freeze.ts).
 */
import type * as ffi from 'ffi-rs';

const holder = { exports: {} as typeof ffi };
process.dlopen(holder, '/ffi-rs.node');

export const { DataType, load, open, createExternalBuffer } = holder.exports;
