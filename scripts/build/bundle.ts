/**
 * src/main.ts and all it imports -> build/main.cjs, the one script in the executable; or another.
 *
 *   bundle.ts [ENTRY OUT]
 */
import { build } from 'esbuild';

const [entry = 'src/main.ts', outfile = 'build/main.cjs'] = process.argv.slice(2);

await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: `node${process.versions.node}`,
  minify: true,
  // The addon rides in the executable; the npm package only gives the types.
  alias: { 'ffi-rs': './src/libc/addon.ts' },
});
