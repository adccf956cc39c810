/** Packed in place of dumb-init, it tells when Node got how far: nanoseconds by the clock of the probe. */
import { writeSync } from 'node:fs';

const script = process.hrtime.bigint();
const { performance } = process.getBuiltinModule('node:perf_hooks');
const { nodeStart, v8Start, environment, bootstrapComplete } = performance.nodeTiming;
const origin = Number(process.hrtime.bigint()) - performance.now() * 1e6;
const milestones = [nodeStart, v8Start, environment, bootstrapComplete].map((ms) => Math.round(origin + ms * 1e6));
writeSync(1, `${[...milestones, script].join(' ')}\n`);
