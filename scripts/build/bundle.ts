/**
 * src/main.ts and all it imports -> build/main.cjs, the one script in the executable. The benches freeze
 * another program instead, which takes the place of src/run.ts.
 *
 *   bundle.ts [OUT PROGRAM]
 */
import { resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

const [outfile = 'build/main.cjs', program = 'src/run.ts'] = process.argv.slice(2);

const thisProgram: Plugin = {
  name: 'program',
  setup: ({ onResolve }) => onResolve({ filter: /^\.\/run\.ts$/ }, () => ({ path: resolve(program) })),
};

await build({
  entryPoints: ['src/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: `node${process.versions.node}`,
  minify: true,
  // The addon rides in the executable; the npm package only gives the types.
  alias: { 'ffi-rs': './src/libc/addon.ts' },
  plugins: [thisProgram],
});
