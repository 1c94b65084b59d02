// LanceDB: IVF_PQ or IVF_RQ on disk, read through its cache.
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

const lancedb = requirePeer('@lancedb/lancedb');
const task = readTask();
const base = readVectors(task.base);
const connection = await lancedb.connect(join(task.folder, 'lance'));
const rows = Array.from({ length: task.base.rows }, (_, id) => ({
  id,
  vector: Array.from(rowOf(base, task.dims, id)),
}));
const { value: table, seconds } = await timed(async () => {
  const made = await connection.createTable('vectors', rows);
  const options = { distanceType: 'l2', numPartitions: 256 };
  const config =
    task.index === 'IVF_PQ'
      ? lancedb.Index.ivfPq({ ...options, numSubVectors: 64 })
      : lancedb.Index.ivfRq(options);
  await made.createIndex('vector', { config });
  return made;
});
const bytesBelow = (folder) =>
  readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? bytesBelow(path) : fileBytes(path));
  }, 0);
const indices = join(task.folder, 'lance', 'vectors.lance', '_indices');
const facts = {
  buildSeconds: seconds,
  bytesPerVector: bytesBelow(indices) / task.base.rows,
  fixedBytes: 0,
};
for (const [probes, refine] of [
  [8, 0],
  [32, 0],
  [8, 4],
  [32, 4],
]) {
  const answer = async (query) => {
    let search = table.search(query).nprobes(probes).select(['id']).limit(task.hits);
    if (refine > 0) search = search.refineFactor(refine);
    return (await search.toArray()).map(({ id }) => Number(id));
  };
  const answerAll = async (queries) => {
    const found = [];
    for (let first = 0; first < queries.length; first += 8) {
      found.push(...(await Promise.all(queries.slice(first, first + 8).map(answer))));
    }
    return found;
  };
  const name = `nprobes ${probes}${refine > 0 ? `, refined ×${refine} by floats on disk` : ''}`;
  await measure(task, name, facts, answer, answerAll);
}
