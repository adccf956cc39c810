/** src/main.ts and all it imports -> build/main.cjs, the one script in the executable. */
import { build } from 'esbuild';

await build({
  entryPoints: ['src/main.ts'],
  outfile: 'build/main.cjs',
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: `node${process.versions.node}`,
  minify: true,
  // The addon rides in the executable; the npm package only gives the types.
  alias: { 'ffi-rs': './src/libc/addon.ts' },
});
