// Every format is read back exactly, in batches of any size and by position; every header that
// lies is refused with one clear error before anything is allocated from its claims.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { CorvidError, type ErrorCode } from '../../src/errors.js';
import type { VectorSource } from '../../src/formats/vector-source.js';
import { openSources } from '../../src/indexer/sources/open.js';
import { binBytes, npyBytes, vecsBytes } from './vector-files.js';

const DIMS = 8;
const FIXTURES = resolve('test/fixtures/vectors');

async function openVectors(path: string, options = {}): Promise<VectorSource[]> {
  const opened = await openSources([path], options);
  if (opened.kind !== 'vectors') throw new Error('expected vectors');
  t.teardown(() => Promise.all(opened.sources.map((source) => source.close())));
  return opened.sources;
}

async function readAll(source: VectorSource, batchRows: number, firstRow = 0) {
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

function refuses(t: Test, opening: Promise<unknown>, code: ErrorCode, text?: RegExp) {
  return opening.then(
    () => t.fail(`expected ${code}`),
    (error: unknown) => {
      t.ok(error instanceof CorvidError, `a CorvidError, not ${String(error)}`);
      t.equal((error as CorvidError).code, code);
      if (text !== undefined) t.match((error as Error).message, text);
    },
  );
}

t.test('every format of fixed rows is read back', async (t) => {
  const dir = t.testdir();
  const bytes = Uint8Array.from({ length: 5 * DIMS }, (_, i) => (i * 37) % 251);
  const floats = Float32Array.from(bytes, (value) => value / 7 - 11);
  const signed = Int8Array.from(bytes);
  const halves = Uint16Array.from(bytes, (value) => 0x3c00 + value);
  const files: [string, Buffer, ArrayLike<number>][] = [
    ['a.npy', npyBytes('<f4', 5, DIMS, floats), floats],
    ['v2.npy', npyBytes('<f4', 5, DIMS, floats, { version: 2 }), floats],
    ['h.npy', npyBytes('<f2', 5, DIMS, halves), halves],
    ['u.npy', npyBytes('|u1', 5, DIMS, bytes), bytes],
    ['i.npy', npyBytes('|i1', 5, DIMS, signed), signed],
    ['a.fbin', binBytes(5, DIMS, floats), floats],
    ['a.u8bin', binBytes(5, DIMS, bytes), bytes],
    ['a.i8bin', binBytes(5, DIMS, signed), signed],
    ['a.fvecs', vecsBytes(DIMS, floats), floats],
    ['a.bvecs', vecsBytes(DIMS, bytes), bytes],
  ];
  for (const [name, content, expected] of files) {
    writeFileSync(join(dir, name), content);
    const [source] = await openVectors(join(dir, name));
    t.match(source, { rows: 5, dims: DIMS, bytes: content.length });
    for (const batchRows of [1, 2, 5, 100]) {
      const { numbers } = await readAll(source as VectorSource, batchRows);
      t.same(numbers, Array.from(expected), `${name} in batches of ${batchRows}`);
    }
    const tail = await readAll(source as VectorSource, 2, 3);
    t.same(tail.numbers, Array.from(expected).slice(3 * DIMS), `${name} from row 3`);
    const some = await source?.readAt?.(1, 2);
    t.same(
      Array.from(some ?? []),
      Array.from(expected).slice(DIMS, 3 * DIMS),
      `${name} by position`,
    );
  }
});

t.test('headers that lie are refused', async (t) => {
  const dir = t.testdir();
  const floats = new Float32Array(5 * DIMS);
  const npy = (header: string) => npyBytes('', 0, 0, floats, { header });
  const good = npyBytes('<f4', 5, DIMS, floats);
  const longHeader = Buffer.from(good);
  longHeader.writeUInt16LE(65_535, 8);
  const cases: [string, Buffer, ErrorCode, RegExp?][] = [
    ['empty.npy', Buffer.alloc(0), 'ERR_SOURCE_EMPTY'],
    ['short.npy', Buffer.from('\x93NU', 'latin1'), 'ERR_SOURCE_INVALID'],
    ['text.npy', Buffer.from('hello, this is text'), 'ERR_SOURCE_INVALID', /not an .npy file/],
    ['version.npy', npyBytes('<f4', 5, DIMS, floats, { version: 9 }), 'ERR_SOURCE_INVALID'],
    ['long.npy', longHeader, 'ERR_SOURCE_INVALID', /longer than it can be/],
    ['cut.npy', good.subarray(0, good.length - 3), 'ERR_SOURCE_INVALID', /as its header says/],
    ['extra.npy', Buffer.concat([good, Buffer.alloc(9)]), 'ERR_SOURCE_INVALID'],
    ['double.npy', npyBytes('<f8', 5, 4, floats), 'ERR_SOURCE_INVALID', /<f8.*astype/],
    ['big.npy', npyBytes('>f4', 5, DIMS, floats), 'ERR_SOURCE_INVALID'],
    [
      'fortran.npy',
      npy(`{'descr': '<f4', 'fortran_order': True, 'shape': (5, 8)}`),
      'ERR_SOURCE_INVALID',
      /Fortran/,
    ],
    [
      'flat.npy',
      npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (40,)}`),
      'ERR_SOURCE_INVALID',
      /two dimensions/,
    ],
    [
      'negative.npy',
      npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (-5, 8)}`),
      'ERR_SOURCE_INVALID',
    ],
    [
      'huge.npy',
      npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999, 8)}`),
      'ERR_SOURCE_INVALID',
    ],
    [
      'wide.npy',
      npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (1, 999999999)}`),
      'ERR_SOURCE_INVALID',
    ],
    ['none.npy', npyBytes('<f4', 0, DIMS, new Float32Array(0)), 'ERR_SOURCE_EMPTY'],
    ['dict.npy', npy('import os'), 'ERR_SOURCE_INVALID'],
    ['rows.fbin', binBytes(4_000_000_000, DIMS, floats), 'ERR_SOURCE_INVALID'],
    ['dims.fbin', binBytes(5, 4_000_000_000, floats), 'ERR_SOURCE_INVALID'],
    ['short.fbin', Buffer.alloc(5), 'ERR_SOURCE_INVALID'],
    ['cut.fvecs', vecsBytes(DIMS, floats).subarray(0, 100), 'ERR_SOURCE_INVALID'],
    ['negative.fvecs', Buffer.alloc(36, 0xff), 'ERR_SOURCE_INVALID'],
  ];
  for (const [name, content, code, text] of cases) {
    writeFileSync(join(dir, name), content);
    await t.test(name, (t) => refuses(t, openSources([join(dir, name)], {}), code, text));
  }
  await t.test('a row of another length inside .fvecs', async (t) => {
    const content = vecsBytes(DIMS, floats);
    content.writeInt32LE(7, 2 * 36);
    writeFileSync(join(dir, 'inner.fvecs'), content);
    const [source] = await openVectors(join(dir, 'inner.fvecs'));
    await refuses(t, readAll(source as VectorSource, 10), 'ERR_SOURCE_INVALID', /row 2/);
  });
});

t.test('random bytes never crash a parser', async (t) => {
  const dir = t.testdir();
  const seed = Date.now();
  t.comment(`seed ${seed}`);
  const start = npyBytes('<f4', 2, DIMS, new Float32Array(2 * DIMS));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('.npy', '.fbin', '.u8bin', '.fvecs', '.bvecs', '.parquet', '.jsonl'),
      fc.uint8Array({ maxLength: 300 }),
      fc.nat({ max: start.length }),
      async (extension, noise, keep) => {
        const path = join(dir, `noise${extension}`);
        writeFileSync(path, Buffer.concat([start.subarray(0, keep), noise]));
        try {
          const opened = await openSources([path], {});
          if (opened.kind === 'vectors') await Promise.all(opened.sources.map((s) => s.close()));
        } catch (error) {
          if (!(error instanceof CorvidError)) throw error;
        }
      },
    ),
    { seed, numRuns: 300 },
  );
});

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

t.test('the clip-retrieval layout keeps rows and metadata together', async (t) => {
  const dir = t.testdir({ img_emb: {}, metadata: {} });
  for (const part of [0, 1, 2, 10]) {
    const vectors = new Float32Array(3 * DIMS).fill(part + 1);
    writeFileSync(join(dir, `img_emb/img_emb_${part}.npy`), npyBytes('<f4', 3, DIMS, vectors));
    const rows = [0, 1, 2].map((row) => JSON.stringify({ video: part, frame: row }));
    writeFileSync(join(dir, `metadata/metadata_${part}.jsonl`), rows.join('\n'));
  }
  const sources = await openVectors(dir);
  const parts = [];
  for (const source of sources) {
    const { items } = await readAll(source, 2);
    t.same(
      items.map((item) => (item as { metadata: { frame: number } }).metadata.frame),
      [0, 1, 2],
    );
    parts.push((items[0] as { metadata: { video: number } }).metadata.video);
  }
  t.same(parts, [0, 1, 2, 10], 'in the order of the numbers');

  writeFileSync(join(dir, 'metadata/metadata_1.jsonl'), '{"frame": 0}\n');
  await refuses(t, openSources([dir], {}), 'ERR_SOURCE_INVALID', /differ in their rows/);
});

t.test('metadata may lie beside one file of vectors', async (t) => {
  const dir = t.testdir({ 'm.jsonl': '{"key":"x"}\n{"key":"y"}\n' });
  writeFileSync(join(dir, 'v.npy'), npyBytes('<f4', 2, DIMS, new Float32Array(2 * DIMS)));
  const [source] = await openVectors(join(dir, 'v.npy'), { metadata: join(dir, 'm.jsonl') });
  t.same((await readAll(source as VectorSource, 1)).items, [{ key: 'x' }, { key: 'y' }]);
});

t.test('folders of images are listed with their captions', async (t) => {
  const dir = t.testdir({
    'b.jpg': 'x',
    'IMG_10.JPG': 'x',
    'IMG_2.JPG': 'x',
    'notes.txt': 'x',
    '.hidden.jpg': 'x',
    'live.heic': 'x',
    'captions.jsonl': '{"file": "b.jpg", "caption": "a bee", "season": "May"}\n',
    sub: { 'c.png': 'x', 'metadata.jsonl': '{"file_name": "c.png", "text": "a cat"}\n' },
    thumbs: { 'd.png': 'x' },
    'old.corvid': { 'e.png': 'x' },
    'more.jsonl': '{"file": "b.jpg", "place": "Kew"}\n',
  });
  const opened = await openSources([dir], {
    ignore: ['**/thumbs/**'],
    metadata: join(dir, 'more.jsonl'),
  });
  if (opened.kind !== 'images') throw new Error('expected images');
  t.same(
    opened.files.map((file) => file.key),
    ['b.jpg', 'IMG_2.JPG', 'IMG_10.JPG', 'live.heic', 'sub/c.png'],
  );
  t.same(opened.captions.get(join(dir, 'b.jpg')), {
    caption: 'a bee',
    metadata: { season: 'May', place: 'Kew' },
  });
  t.same(opened.captions.get(join(dir, 'sub/c.png')), { caption: 'a cat' });

  const twice = await openSources([dir, join(dir, 'sub'), join(dir, 'b.jpg')], {});
  if (twice.kind !== 'images') throw new Error('expected images');
  t.equal(twice.files.length, 6, 'a file named twice is listed once');
});

t.test('what cannot be listed is reported, not passed over', async (t) => {
  const dir = t.testdir({ 'a.jpg': 'x' });
  symlinkSync(join(dir, 'gone'), join(dir, 'dangling'));
  const opened = await openSources([dir], {});
  if (opened.kind !== 'images') throw new Error('expected images');
  t.equal(opened.unreadable.length, 1);
  t.equal(opened.unreadable[0]?.path, join(dir, 'dangling'));
});

t.test('sources that cannot be used', async (t) => {
  const dir = t.testdir({ empty: {}, 'a.docx': 'x', images: { 'a.jpg': 'x' }, noext: 'x' });
  writeFileSync(join(dir, 'v.npy'), npyBytes('<f4', 1, DIMS, new Float32Array(DIMS)));
  mkdirSync(join(dir, 'clip/img_emb'), { recursive: true });
  const open = (...paths: string[]) =>
    openSources(
      paths.map((path) => join(dir, path)),
      {},
    );
  await refuses(t, open('missing'), 'ERR_NOT_FOUND');
  await refuses(t, open('empty'), 'ERR_SOURCE_EMPTY');
  await refuses(t, open('a.docx'), 'ERR_SOURCE_UNKNOWN', /\.docx/);
  await refuses(t, open('noext'), 'ERR_SOURCE_UNKNOWN');
  await refuses(t, open('clip'), 'ERR_SOURCE_EMPTY', /img_emb_N/);
  await refuses(t, open('images', 'v.npy'), 'ERR_USAGE', /images and ready-made vectors/);
  await refuses(t, open('v.npy', 'images'), 'ERR_USAGE');
});

t.test('parquet with a column of vectors', async (t) => {
  const row = (r: number) => Array.from({ length: DIMS }, (_, k) => (r * 10 + k) / 4);
  const expected = Array.from({ length: 7 }, (_, r) => row(r));
  const [source] = await openVectors(join(FIXTURES, 'seven.parquet'));
  t.match(source, { rows: 7, dims: DIMS, hasItems: true });
  for (const [batchRows, firstRow] of [
    [2, 0],
    [100, 0],
    [2, 4],
  ] as const) {
    const { numbers, items } = await readAll(source as VectorSource, batchRows, firstRow);
    t.same(numbers, expected.slice(firstRow).flat());
    t.same(items[0], {
      key: `k${firstRow}`,
      caption: `picture ${firstRow}`,
      metadata: { views: firstRow },
    });
  }
  const [bare] = await openVectors(join(FIXTURES, 'only-vectors.parquet'));
  t.equal(bare?.hasItems, false);
  t.same((await readAll(bare as VectorSource, 3)).numbers, expected.flat());

  const fails = (name: string, text: RegExp) =>
    refuses(t, openSources([join(FIXTURES, name)], {}), 'ERR_SOURCE_INVALID', text);
  await fails('no-vectors.parquet', /column of vectors cannot be told/);
  await fails('two-lists.parquet', /columns a, b/);
  const [ragged] = await openVectors(join(FIXTURES, 'ragged.parquet'));
  await refuses(t, readAll(ragged as VectorSource, 3), 'ERR_SOURCE_INVALID', /row 4/);

  const whole = readFileSync(join(FIXTURES, 'seven.parquet'));
  const dir = t.testdir();
  for (const length of [0, 3, 8, 40, whole.length - 1, whole.length - 9]) {
    writeFileSync(join(dir, 'cut.parquet'), whole.subarray(0, length));
    await refuses(t, openSources([join(dir, 'cut.parquet')], {}), 'ERR_SOURCE_INVALID');
  }
});

t.test('metadata in parquet beside vectors', async (t) => {
  const dir = t.testdir({ img_emb: {}, metadata: {} });
  const vectors = npyBytes('<f4', 5, DIMS, new Float32Array(5 * DIMS));
  writeFileSync(join(dir, 'img_emb/img_emb_0.npy'), vectors);
  copyFileSync(join(FIXTURES, 'metadata-five.parquet'), join(dir, 'metadata/metadata_0.parquet'));
  const [source] = await openVectors(dir);
  const { items } = await readAll(source as VectorSource, 2, 3);
  t.same(items, [
    { caption: 'p3', metadata: { url: 'u' } },
    { caption: 'p4', metadata: { url: 'u' } },
  ]);
});
