// zvec: a graph over RaBitQ codes, on disk and mapped.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  fileBytes,
  measure,
  readTask,
  readVectors,
  requirePeer,
  rowOf,
  timed,
} from './node-runner.mjs';

const { ZVecCollectionSchema, ZVecCreateAndOpen, ZVecDataType, ZVecIndexType, ZVecMetricType } =
  requirePeer('@zvec/zvec');
const INSERT_ROWS = 1000;
const task = readTask();
const base = readVectors(task.base);
const folder = join(task.folder, 'zvec');
const indexType = ZVecIndexType[task.index];
const schema = new ZVecCollectionSchema({
  name: 'vectors',
  vectors: {
    name: 'embedding',
    dataType: ZVecDataType.VECTOR_FP32,
    dimension: task.dims,
    indexParams: { indexType, metricType: ZVecMetricType.IP },
  },
});
const collection = ZVecCreateAndOpen(folder, schema);
const { seconds } = await timed(() => {
  for (let first = 0; first < task.base.rows; first += INSERT_ROWS) {
    const count = Math.min(INSERT_ROWS, task.base.rows - first);
    collection.insertSync(
      Array.from({ length: count }, (_, i) => ({
        id: String(first + i),
        vectors: { embedding: Array.from(rowOf(base, task.dims, first + i)) },
      })),
    );
  }
  collection.optimizeSync();
});
const bytesBelow = (path) =>
  readdirSync(path, { withFileTypes: true }).reduce((sum, entry) => {
    const child = join(path, entry.name);
    return sum + (entry.isDirectory() ? bytesBelow(child) : fileBytes(child));
  }, 0);
const facts = {
  buildSeconds: seconds,
  bytesPerVector: bytesBelow(folder) / task.base.rows,
  fixedBytes: 0,
};
for (const ef of [100, 300, 600]) {
  const answer = (query) =>
    collection
      .querySync({
        fieldName: 'embedding',
        vector: Array.from(query),
        topk: task.hits,
        params: { indexType, ef },
      })
      .map(({ id }) => Number(id));
  await measure(task, `ef ${ef}`, facts, answer);
}
