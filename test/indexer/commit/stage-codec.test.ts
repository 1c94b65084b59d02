// slow: builds the routing graph of very many lists.
//
// A routing graph of very many lists is built once, also by a build that is cut off afterwards.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type BuildProgress, buildIndex, openIndex } from '../../../src/index.js';
import { GRAPH_MIN_LISTS } from '../../../src/query/routing/graph.js';
import { clusteredVectors, writeNpy } from '../vector-files.js';

const DIMS = 16;
const ROWS = 9 * GRAPH_MIN_LISTS;

t.test('an interrupted build takes the graph that it has', async (t) => {
  const dir = t.testdir();
  const source = join(dir, 'v.npy');
  const vectors = clusteredVectors(ROWS, DIMS, 1, 500);
  writeNpy(source, vectors, DIMS);
  const build = (
    out: string,
    onProgress: (progress: BuildProgress) => void = () => {},
    signal?: AbortSignal,
  ) =>
    buildIndex({
      sources: [source],
      out,
      lists: GRAPH_MIN_LISTS,
      vectors: 'none',
      onProgress,
      signal,
    });
  const alone = join(dir, 'alone.corvid');
  const whole = await build(alone);
  t.ok((whole.phases.route ?? 0) > 0);

  const out = join(dir, 'stopped.corvid');
  const stop = new AbortController();
  const stopped = build(out, ({ phase }) => phase === 'encode' && stop.abort(), stop.signal);
  await t.rejects(stopped, { code: 'ERR_ABORTED' });
  const { phases, trained } = await build(out);
  t.equal(trained, true);
  t.equal(phases.route, undefined, 'not built again');
  t.equal(phases.train, undefined, 'nor is the codec trained again');
  const graphOf = (index: string) => {
    const name = readdirSync(index).find((file) => file.endsWith('.hnsw')) as string;
    return createHash('sha256')
      .update(readFileSync(join(index, name)))
      .digest('hex');
  };
  t.equal(graphOf(out), graphOf(alone));
  t.notOk(readdirSync(out).includes('staging'), 'nothing is left');
  await using index = await openIndex(out);
  const { hits } = await index.search(vectors.slice(0, DIMS), { limit: 5 });
  t.equal(hits.length, 5);
});
