/** The SEA blob into a stripped Node: build/node and build/sea.blob -> build/node-sea. */
import { chmodSync, copyFileSync, readFileSync } from 'node:fs';
import { inject } from 'postject';

const [node, blob, output] = process.argv.slice(2) as [string, string, string];
copyFileSync(node, output);
chmodSync(output, 0o755);
await inject(output, 'NODE_SEA_BLOB', readFileSync(blob), {
  // The mark that Node looks for (doc/api/single-executable-applications.md).
  sentinelFuse: 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2',
});
