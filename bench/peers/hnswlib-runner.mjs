// hnswlib-node: a graph over float32 vectors in memory.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileBytes, measure, readTask, readVectors, rowOf, timed } from './node-runner.mjs';

const hnswlib = createRequire(import.meta.url)('hnswlib-node');
const task = readTask();
const base = readVectors(task.base);
const graph = new hnswlib.HierarchicalNSW('l2', task.dims);
const { seconds } = await timed(() => {
  graph.initIndex(task.base.rows, 16, 200, 100);
  for (let i = 0; i < task.base.rows; i++) {
    graph.addPoint(Array.from(rowOf(base, task.dims, i)), i);
  }
});
const path = join(task.folder, 'graph.bin');
await graph.writeIndex(path);
const facts = {
  buildSeconds: seconds,
  bytesPerVector: fileBytes(path) / task.base.rows,
  fixedBytes: 0,
};
for (const candidates of [101, 200, 400]) {
  graph.setEf(candidates);
  const answer = (query) => graph.searchKnn(Array.from(query), task.hits).neighbors;
  await measure(task, `ef ${candidates}`, facts, answer);
}
