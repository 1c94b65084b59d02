// Prints the answers to a few queries of an index, for the test that runs it once per instruction
// set. usage: node answers.js <index> <queries as JSON>
import { openIndex, type SearchOptions } from '../../src/index.js';
import { native } from '../../src/native/addon.js';

const [path, queries] = process.argv.slice(2) as [string, string];
const vectors = (JSON.parse(queries) as number[][]).map((query) => Float32Array.from(query));
const options: SearchOptions[] = [
  {},
  { levels: [64] },
  { effort: 1, limit: 50 },
  { exact: true },
  { scoring: 'hamming' },
];
await using index = await openIndex(path);
const answers = [];
for (const option of options) {
  for (const vector of vectors) {
    const { hits } = await index.search(vector, option);
    answers.push(hits.map(({ id, score }) => [id, score]));
  }
}
process.stdout.write(JSON.stringify({ simd: native.simdLevel(), answers }));
