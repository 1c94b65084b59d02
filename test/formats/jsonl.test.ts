// JSON lines with vectors: objects and bare arrays, and lines that are refused.
import { join } from 'node:path';
import t from 'tap';
import type { VectorSource } from '../../src/formats/vector-source.js';
import { openSources } from '../../src/indexer/sources/open.js';
import { DIMS, openVectors, readAll, refuses } from './read-source.js';

t.test('JSON lines with vectors and items', async (t) => {
  const vector = (first: number) => Array.from({ length: DIMS }, (_, d) => first + d);
  const dir = t.testdir({
    'a.jsonl': [
      JSON.stringify({ vector: vector(1), key: 'one', caption: 'first', place: { lat: 3 } }),
      '',
      JSON.stringify({ embedding: vector(2), id: 7 }),
      JSON.stringify(vector(3)),
    ].join('\n'),
    'bad.jsonl': '{"vector": [1,2',
    'none.jsonl': '{"caption": "no vector"}\n',
    'text.jsonl': '"a string"\n',
    'ragged.jsonl': `${JSON.stringify(vector(1))}\n[1,2,3,4,5,6,7]\n`,
    'blank.jsonl': '\n\n',
  });
  const [source] = await openVectors(join(dir, 'a.jsonl'));
  for (const batchRows of [1, 2, 3, 10]) {
    const { numbers, items } = await readAll(source as VectorSource, batchRows);
    t.same(numbers, [...vector(1), ...vector(2), ...vector(3)]);
    t.same(items, [
      { key: 'one', caption: 'first', metadata: { place: { lat: 3 } } },
      { key: '7' },
      {},
    ]);
  }
  await refuses(t, openSources([join(dir, 'bad.jsonl')], {}), 'ERR_SOURCE_INVALID', /line 1/);
  await refuses(t, openSources([join(dir, 'none.jsonl')], {}), 'ERR_SOURCE_INVALID', /no vector/);
  await refuses(t, openSources([join(dir, 'text.jsonl')], {}), 'ERR_SOURCE_INVALID');
  await refuses(t, openSources([join(dir, 'blank.jsonl')], {}), 'ERR_SOURCE_EMPTY');
  const [ragged] = await openVectors(join(dir, 'ragged.jsonl'));
  await refuses(t, readAll(ragged as VectorSource, 9), 'ERR_SOURCE_INVALID', /line 2/);
});
