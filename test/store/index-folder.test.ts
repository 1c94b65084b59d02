// The folder of an index: one writer, publications that are whole, and nothing left behind.
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { InitialSettings } from '../../src/store/catalog-writer.js';
import {
  IndexWriter,
  openCatalog,
  readSnapshot,
  type StagedSegment,
  segmentFolder,
} from '../../src/store/index-folder.js';

const SETTINGS: InitialSettings = {
  writtenBy: '0.1.0',
  dims: 8,
  encoder: null,
  vectors: false,
  hasItems: false,
  nextId: 0,
  recallCard: null,
  build: null,
};

function stage(writer: IndexWriter, text = 'codes'): StagedSegment & { rows: number } {
  const staged = writer.newSegment(randomUUID());
  mkdirSync(staged.dir);
  writeFileSync(join(staged.dir, 'plane-64.bin'), text);
  return { ...staged, rows: 1 };
}

function stageCodec(writer: IndexWriter) {
  const staged = writer.newCodec();
  writeFileSync(staged.path, 'codec');
  return { ...staged, uuid: 'codec-uuid' };
}

function stageRouting(writer: IndexWriter) {
  const staged = writer.newRouting();
  writeFileSync(staged.path, '123456789');
  return staged;
}

t.test('a new index becomes one with its first publication', async (t) => {
  const path = join(t.testdir(), 'photos.corvid');
  t.throws(() => openCatalog(path), { code: 'ERR_NOT_FOUND', path });
  const writer = IndexWriter.open(path);
  t.equal(writer.isNew, true);
  t.throws(() => openCatalog(path), { code: 'ERR_NOT_AN_INDEX', hint: /interrupted/ });
  writer.create(SETTINGS);
  const early = openCatalog(path);
  t.throws(() => readSnapshot(path, early), { code: 'ERR_NOT_AN_INDEX', hint: /again/ });
  const segment = stage(writer);
  writer.publish({
    segments: [segment],
    codec: stageCodec(writer),
    routing: stageRouting(writer),
    settings: { nextId: 1 },
  });
  const snapshot = readSnapshot(path, early);
  t.match(snapshot, {
    path,
    settings: { generation: 1, nextId: 1, routing: { bytes: 9, crc32c: 0xe3069283 } },
    segments: [{ number: segment.number, rows: 1, bytes: 5, uuid: segment.uuid }],
  });
  t.ok(existsSync(snapshot.codecPath));
  t.ok(existsSync(snapshot.routingPath as string));
  t.ok(existsSync(join(snapshot.segments[0]?.dir as string, 'plane-64.bin')));
  early.close();
  writer.close();
  t.notOk(existsSync(join(path, 'staging')), 'an empty staging folder goes');
});

t.test('a publication removes what it replaces, and numbers are not used again', async (t) => {
  const path = join(t.testdir(), 'photos.corvid');
  const writer = IndexWriter.open(path);
  writer.create(SETTINGS);
  const first = stage(writer);
  const codec = stageCodec(writer);
  writer.publish({ segments: [first], codec, routing: stageRouting(writer) });
  const second = stage(writer);
  const newCodec = stageCodec(writer);
  writer.publish({
    segments: [second],
    dropSegments: [first.number],
    codec: newCodec,
    routing: null,
  });
  t.notOk(existsSync(segmentFolder(path, first.number)));
  t.ok(existsSync(segmentFolder(path, second.number)));
  const numbers = [first.number, codec.name, second.number, newCodec.name].map((name) =>
    Number(/\d+/.exec(String(name))?.[0]),
  );
  t.equal(new Set(numbers).size, numbers.length);
  const names = readdirSync(path).filter((name) => /codec|routing/.test(name));
  t.strictSame(names, [newCodec.name]);
  const last = writer.newRouting();
  writeFileSync(last.path, 'graph');
  writer.publish({ routing: last });
  writer.publish({ routing: null });
  writer.close();
  const next = IndexWriter.open(path);
  t.not(next.newRouting().name, last.name, 'not even after everything of the number is gone');
  next.close();
});

t.test('what a crash leaves is swept by the next writer, and by nobody else', async (t) => {
  const path = join(t.testdir(), 'photos.corvid');
  const writer = IndexWriter.open(path);
  writer.create(SETTINGS);
  const live = stage(writer);
  writer.publish({ segments: [live], codec: stageCodec(writer) });
  // As if the process had died between renaming and committing, and while writing another.
  const orphans = [
    segmentFolder(path, 41),
    join(path, 'codec-000042.bin'),
    join(path, 'routing-000043.hnsw'),
    join(path, 'staging', 'codec-000045.bin'),
  ];
  for (const orphan of orphans) mkdirSync(orphan, { recursive: true });
  const journal = join(path, 'staging', 'journal.bin');
  const uuid = randomUUID();
  const begun = join(path, 'staging', `segment-${uuid}`);
  const givenUp = join(path, 'staging', `segment-${randomUUID()}`);
  const resumable = [journal, begun, givenUp];
  writeFileSync(journal, 'what a build goes on from');
  for (const folder of [begun, givenUp]) mkdirSync(folder);
  writer.close();
  const catalog = openCatalog(path);
  readSnapshot(path, catalog);
  catalog.close();
  for (const orphan of orphans) t.ok(existsSync(orphan), 'a reader leaves it');
  const next = IndexWriter.open(path);
  for (const orphan of orphans) t.notOk(existsSync(orphan), 'a writer does not');
  t.ok(existsSync(segmentFolder(path, live.number)));
  for (const one of resumable) t.ok(existsSync(one), 'what a build may resume stays');
  const segment = next.newSegment(uuid);
  t.ok(segment.number > 45, 'the numbers of what was swept are not used again');
  t.equal(segment.dir, begun);
  t.ok(existsSync(begun), 'the segment that is gone on with stays');
  t.notOk(existsSync(givenUp), 'one that is not does not');
  next.clearStaging();
  for (const one of resumable) t.notOk(existsSync(one));
  next.close();
});

t.test('there is one writer', async (t) => {
  const path = join(t.testdir(), 'photos.corvid');
  const writer = IndexWriter.open(path);
  t.throws(() => IndexWriter.open(path), { code: 'ERR_LOCKED', hint: /wait/ });
  writer.close();
  IndexWriter.open(path).close();
});

t.test('a failed publication leaves the old state', async (t) => {
  const path = join(t.testdir(), 'photos.corvid');
  const writer = IndexWriter.open(path);
  writer.create(SETTINGS);
  const live = stage(writer);
  writer.publish({ segments: [live], codec: stageCodec(writer) });
  const lost = { ...writer.newSegment(randomUUID()), rows: 1 }; // never written
  t.throws(() => writer.publish({ segments: [stage(writer), lost], settings: { nextId: 9 } }), {
    code: 'ERR_NOT_FOUND',
  });
  t.match(writer.catalog.settings(), { nextId: 0, generation: 1 });
  writer.close();
  const next = IndexWriter.open(path);
  t.strictSame(readdirSync(join(path, 'segments')).map(Number), [live.number]);
  next.close();
});

t.test('what is no index is refused by name and left alone', async (t) => {
  const dir = t.testdir({ 'holiday.jpg': 'a picture', file: 'text', empty: {} });
  const file = join(dir, 'file');
  for (const open of [openCatalog, IndexWriter.open]) {
    t.throws(() => open(file), { code: 'ERR_NOT_AN_INDEX', path: file });
    t.throws(() => open(dir), { code: 'ERR_NOT_AN_INDEX', path: dir });
  }
  t.strictSame(readdirSync(dir).sort(), ['empty', 'file', 'holiday.jpg']);
  const writer = IndexWriter.open(join(dir, 'empty'));
  t.equal(writer.isNew, true, 'an empty folder may become one');
  writer.close();
});
