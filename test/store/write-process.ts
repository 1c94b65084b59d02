// A process that writes generation after generation of an index, for interruption.test.ts. After
// each commit it prints the generation; an error ends it with a line of JSON on stderr.
//
// usage: node write-process.js INDEX CODEC GENERATIONS
import { randomUUID } from 'node:crypto';
import type { CorvidError } from '../../src/errors.js';
import { fromNative, native } from '../../src/native/addon.js';
import { IndexWriter } from '../../src/store/index-folder.js';
import { DIMS, randomVectors, writeSegment } from './fixture.js';

const [path = '', codecPath = '', generations = '1'] = process.argv.slice(2);
const ROWS = 700;
const codec = native.openCodec(codecPath);
const batch = await codec.encode(randomVectors(ROWS, 2), { vectors: true, threads: 1 });

async function writeGeneration(writer: IndexWriter, number: number): Promise<void> {
  const first = writer.catalog.settings().nextId;
  const ids = Float64Array.from({ length: ROWS }, (_, row) => first + row);
  writer.catalog.addItems(Array.from(ids, (id) => ({ id, key: `${number}/${id}.jpg` })));
  const staged = writer.newSegment(randomUUID());
  await writeSegment(staged.dir, codec, [{ batch, ids }], { uuid: staged.uuid });
  const old = writer.catalog.segments().map((segment) => segment.number);
  writer.publish({
    segments: [{ ...staged, rows: ROWS }],
    // The last two generations stay; what is older goes, rows and items.
    dropSegments: old.slice(0, -1),
    removeIds: old.length > 1 ? Array.from(ids, (id) => id - 2 * ROWS) : [],
    forgetRemoved: true,
    settings: { nextId: first + ROWS },
    ...(number === 1 ? await saveCodec(writer) : {}),
  });
}

async function saveCodec(writer: IndexWriter) {
  const staged = writer.newCodec();
  await codec.save(staged.path);
  return { codec: { ...staged, uuid: codec.info().uuid } };
}

try {
  const writer = IndexWriter.open(path);
  if (writer.isNew) {
    writer.create({
      writtenBy: '0.1.0',
      dims: DIMS,
      encoder: null,
      vectors: true,
      hasItems: true,
      nextId: 0,
      recallCard: null,
      build: null,
    });
  }
  writer.catalog.dropUncommitted();
  for (let n = 0; n < Number(generations); n++) {
    const next = writer.catalog.settings().generation + 1;
    await writeGeneration(writer, next);
    console.log(next);
  }
  writer.close();
} catch (error) {
  const { code, path: about, message } = fromNative(error) as CorvidError;
  console.error(JSON.stringify({ code, path: about, message }));
  process.exitCode = 1;
}
