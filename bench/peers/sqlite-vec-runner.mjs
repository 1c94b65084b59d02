// sqlite-vec: signs of the vectors as bits, brute force in SQL.
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

const Database = requirePeer('better-sqlite3');
const task = readTask();
const base = readVectors(task.base);
const path = join(task.folder, 'vectors.sqlite');
const database = new Database(path);
requirePeer('sqlite-vec').load(database);
const bytesOf = (row) => Buffer.from(row.buffer, row.byteOffset, row.byteLength);
const { seconds } = await timed(() => {
  database.exec(`CREATE VIRTUAL TABLE vectors USING vec0(embedding bit[${task.dims}])`);
  const add = database.prepare('INSERT INTO vectors VALUES (?, vec_quantize_binary(?))');
  database.transaction(() => {
    for (let i = 0; i < task.base.rows; i++) {
      add.run(BigInt(i), bytesOf(rowOf(base, task.dims, i)));
    }
  })();
});
const facts = {
  buildSeconds: seconds,
  bytesPerVector: fileBytes(path) / task.base.rows,
  fixedBytes: 0,
};
const find = database.prepare(
  'SELECT rowid FROM vectors WHERE embedding MATCH vec_quantize_binary(?) AND k = ?',
);
const answer = (query) => find.all(bytesOf(query), task.hits).map(({ rowid }) => Number(rowid));
await measure(task, 'all', facts, answer);
