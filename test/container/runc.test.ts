import t from 'tap';
import { startContainer } from '../helpers/container.ts';
import { layRoot, readImage } from '../helpers/images.ts';
import { testSituations } from './situations.ts';

testSituations(t, async (image, command) => {
  const { entrypoint, cmd } = readImage(image);
  return startContainer({ args: [...entrypoint, ...(command ?? cmd)], layRoot: (root) => layRoot(image, root) });
});
