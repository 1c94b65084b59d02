// Opens sources for tests, reads them whole, and expects refusals.
import assert from 'node:assert/strict';
import t, { type Test } from 'tap';
import { CorvidError, type ErrorCode } from '../../src/errors.js';
import type { VectorSource } from '../../src/formats/vector-source.js';
import { openSources } from '../../src/indexer/sources/open.js';

export const DIMS = 8;

export async function openVectors(path: string, options = {}): Promise<VectorSource[]> {
  const opened = await openSources([path], options);
  if (opened.kind !== 'vectors') throw new Error('expected vectors');
  t.teardown(() => Promise.all(opened.sources.map((source) => source.close())));
  return opened.sources;
}

export async function readAll(source: VectorSource, batchRows: number, firstRow = 0) {
  const numbers: number[] = [];
  const items: unknown[] = [];
  let next = firstRow;
  for await (const chunk of source.read({ batchRows, firstRow })) {
    assert.equal(chunk.firstRow, next, 'chunks follow each other');
    assert.equal(chunk.vectors.length, chunk.rows * source.dims);
    next += chunk.rows;
    numbers.push(...chunk.vectors);
    items.push(...(chunk.items ?? []));
  }
  assert.equal(next, source.rows);
  return { numbers, items };
}

export function refuses(t: Test, opening: Promise<unknown>, code: ErrorCode, text?: RegExp) {
  return opening.then(
    () => t.fail(`expected ${code}`),
    (error: unknown) => {
      t.ok(error instanceof CorvidError, `a CorvidError, not ${String(error)}`);
      t.equal((error as CorvidError).code, code);
      if (text !== undefined) t.match((error as Error).message, text);
    },
  );
}
