// Runs one build in a process of its own, so that tests can kill it. Options come as JSON; images
// are embedded by the tests' tiny encoder, slowed down by `delayMs`.
import { buildIndex } from '../../src/indexer/build-index.js';
import type { BuildOptions } from '../../src/indexer/settings/options.js';
import { TinyEmbedder } from './tiny-embedder.js';

const { images, delayMs, ...options } = JSON.parse(process.argv[2] ?? '{}') as BuildOptions & {
  images: boolean;
  delayMs: number;
};
await buildIndex({
  ...options,
  ...(images ? { embedder: new TinyEmbedder('child', delayMs) } : {}),
  // One line for each report: the parent kills in the middle of a phase of its choice.
  onProgress: ({ phase }) => process.stdout.write(`${phase}\n`),
});
