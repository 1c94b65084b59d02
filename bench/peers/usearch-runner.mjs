// usearch: a graph over float32 or int8 vectors in memory.
import { join } from 'node:path';
import { fileBytes, measure, readTask, readVectors, requirePeer, timed } from './node-runner.mjs';

const { Index } = requirePeer('usearch');
const task = readTask();
const base = readVectors(task.base);
for (const expansion of [101, 200, 400]) {
  const index = new Index({
    metric: 'l2sq',
    dimensions: task.dims,
    quantization: task.index,
    expansion_search: expansion,
  });
  const keys = BigUint64Array.from({ length: task.base.rows }, (_, i) => BigInt(i));
  const { seconds } = await timed(() => index.add(keys, base, task.threads));
  const path = join(task.folder, 'graph.usearch');
  index.save(path);
  const facts = {
    buildSeconds: seconds,
    bytesPerVector: fileBytes(path) / task.base.rows,
    fixedBytes: 0,
  };
  const answer = (query) => Array.from(index.search(query, task.hits, 1).keys, Number);
  const answerAll = (queries) => {
    const all = new Float32Array(queries.length * task.dims);
    queries.forEach((query, i) => {
      all.set(query, i * task.dims);
    });
    const found = index.search(all, task.hits, task.threads);
    return queries.map((_, i) => Array.from(found.get(i).keys, Number));
  };
  await measure(task, `expansion ${expansion}`, facts, answer, answerAll);
}
