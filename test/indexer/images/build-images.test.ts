// An index of images follows its folder: new, changed, touched, vanished, captioned and bad files.
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openClip } from '../../../src/embed/clip.js';
import { CorvidError } from '../../../src/errors.js';
import { buildIndex } from '../../../src/indexer/build-index.js';
import type { BuildProgress } from '../../../src/indexer/settings/options.js';
import { copyPictures, NAMES } from '../pictures.js';
import { cosine, PICTURES, readIndex } from '../read-index.js';
import { TinyEmbedder } from '../tiny-embedder.js';

/** Copies `count` pictures into one folder. */
const photos = (dir: string, count: number, first = 0) =>
  copyPictures(join(dir, 'photos'), first, count);

t.test('the bundled encoder indexes real pictures', async (t) => {
  const dir = t.testdir();
  const folder = photos(dir, 24);
  copyFileSync(join(PICTURES, 'captions.jsonl'), join(folder, 'captions.jsonl'));
  const out = join(dir, 'photos.corvid');
  const phases: BuildProgress[] = [];
  const summary = await buildIndex({
    sources: [folder],
    out,
    model: 'clip-nano',
    onProgress: (progress) => phases.push(progress),
  });
  t.match(summary, { rows: 24, added: 24, skipped: 0, removed: 0, trained: true, vectors: true });
  t.match(summary.codec, { method: 'rotation', dims: 512 });
  t.ok(summary.diskBytes > 0 && summary.residentBytes > 0 && summary.seconds > 0);
  t.ok(phases.some(({ phase, done, total }) => phase === 'embed' && done === 24 && total === 24));
  t.notOk(existsSync(join(out, 'staging', 'journal.bin')), 'nothing is left to resume');

  const index = await readIndex(out);
  t.same(
    index.items.map(({ key }) => key),
    NAMES.slice(0, 24),
  );
  const captions = readFileSync(join(PICTURES, 'captions.jsonl'), 'utf8').split('\n');
  const first = JSON.parse(captions.find((line) => line.includes(`"${NAMES[0]}"`)) ?? '{}');
  t.match(index.items[0], { caption: first.caption, metadata: { category: first.category } });
  t.ok((index.items[0]?.width ?? 0) > 0 && index.items[0]?.sha256?.length === 64);

  const clip = await openClip('clip-nano');
  const name = NAMES[5] as string;
  const { embeddings } = await clip.embedImages([join(folder, name)]);
  await clip.close();
  const item = index.items.find(({ key }) => key === name);
  const stored = index.vectors.get(item?.id ?? -1) as Float32Array;
  t.ok(cosine(embeddings, stored) > 0.995, `cosine ${cosine(embeddings, stored)}`);
});

t.test('a second build embeds only what is new or changed', async (t) => {
  const dir = t.testdir();
  const folder = photos(dir, 20);
  const out = join(dir, 'photos.corvid');
  const embedder = new TinyEmbedder();
  const build = () => buildIndex({ sources: [folder], out, embedder });
  await build();
  t.equal(embedder.images, 20);
  const before = await readIndex(out);

  const again = await build();
  t.match(again, { rows: 20, added: 0, changed: 0, removed: 0, unchanged: 20, trained: false });
  t.equal(embedder.images, 20, 'nothing is embedded again');
  t.equal((await readIndex(out)).generation, before.generation, 'and nothing committed');

  const [changed, touched, gone, moved] = NAMES as [string, string, string, string];
  copyFileSync(join(PICTURES, NAMES[30] as string), join(folder, changed));
  utimesSync(join(folder, touched), 1000, 1000);
  rmSync(join(folder, gone));
  renameSync(join(folder, moved), join(folder, 'zz-renamed.jpg'));
  photos(dir, 3, 20);
  const planned = await buildIndex({ sources: [folder], out, embedder, dryRun: true });
  t.match(planned, { dryRun: true, rows: 20, added: 4, changed: 2, removed: 2, unchanged: 16 });
  t.equal(embedder.images, 20, 'a dry run embeds nothing');
  t.equal((await readIndex(out)).generation, before.generation, 'and commits nothing');

  const summary = await build();
  t.match(summary, { rows: 22, added: 3, changed: 1, touched: 2, removed: 1, unchanged: 16 });
  t.equal(embedder.images, 24);
  const after = await readIndex(out);
  const idOf = (index: typeof after, key: string) => index.items.find((i) => i.key === key)?.id;
  t.not(idOf(after, changed), idOf(before, changed), 'changed: a new id');
  t.equal(idOf(after, touched), idOf(before, touched), 'touched: the same id');
  t.equal(after.items.find((i) => i.key === touched)?.modified, '1970-01-01T00:16:40.000Z');
  t.equal(idOf(after, gone), undefined);
  t.equal(idOf(after, 'zz-renamed.jpg'), idOf(before, moved), 'moved: the same id');
  t.equal(idOf(after, moved), undefined);
  t.equal(after.ids.length, 22);
  t.same(
    after.items.map(({ id }) => id),
    after.ids,
    'items and rows agree',
  );
});

t.test('bad files are skipped with their reasons and left alone until they change', async (t) => {
  const dir = t.testdir();
  const folder = photos(dir, 5);
  writeFileSync(join(folder, 'empty.jpg'), '');
  writeFileSync(join(folder, 'text.jpg'), 'this is no picture');
  writeFileSync(join(folder, 'noise.png'), Buffer.alloc(500, 7));
  const out = join(dir, 'photos.corvid');
  const embedder = new TinyEmbedder();
  const build = () => buildIndex({ sources: [folder], out, embedder });
  const summary = await build();
  t.match(summary, { rows: 5, added: 5, skipped: 3 });
  const listed = readFileSync(join(out, 'skipped.jsonl'), 'utf8').trim().split('\n');
  const skipped = listed.map((line) => JSON.parse(line));
  t.same(skipped.map(({ path, code }) => [path, code]).sort(), [
    [join(folder, 'empty.jpg'), 'ERR_IMAGE_EMPTY'],
    [join(folder, 'noise.png'), 'ERR_IMAGE_FORMAT'],
    [join(folder, 'text.jpg'), 'ERR_IMAGE_FORMAT'],
  ]);
  t.ok(skipped.every(({ reason }) => reason.length > 10));

  const progress: BuildProgress[] = [];
  const again = await buildIndex({
    sources: [folder],
    out,
    embedder,
    onProgress: (step) => progress.push(step),
  });
  t.match(again, { added: 0, skipped: 3, unchanged: 5 });
  t.notOk(
    progress.some(({ phase }) => phase === 'embed'),
    'the bad files are not read again',
  );

  copyFileSync(join(PICTURES, NAMES[9] as string), join(folder, 'text.jpg'));
  t.match(await build(), { rows: 6, added: 1, skipped: 2 });
  writeFileSync(join(folder, 'text.jpg'), 'spoiled again');
  t.match(await build(), { rows: 5, removed: 1, skipped: 3 });
});

t.test('nothing but bad files is an error that says so', async (t) => {
  const dir = t.testdir({ photos: { 'a.jpg': '', 'b.jpg': 'text' } });
  const out = join(dir, 'x.corvid');
  const build = () =>
    buildIndex({ sources: [join(dir, 'photos')], out, embedder: new TinyEmbedder() });
  await t.rejects(build(), { code: 'ERR_SOURCE_EMPTY' });
  t.equal(readFileSync(join(out, 'skipped.jsonl'), 'utf8').trim().split('\n').length, 2);
  copyFileSync(join(PICTURES, NAMES[0] as string), join(dir, 'photos', 'c.jpg'));
  t.match(await build(), { rows: 1, skipped: 2 });
});

t.test('captions that change are taken over without embedding', async (t) => {
  const dir = t.testdir();
  const folder = photos(dir, 3);
  const out = join(dir, 'photos.corvid');
  const embedder = new TinyEmbedder();
  await buildIndex({ sources: [folder], out, embedder });
  const metadata = join(dir, 'more.jsonl');
  writeFileSync(metadata, `${JSON.stringify({ file: NAMES[1], caption: 'new words', year: 3 })}\n`);
  const summary = await buildIndex({ sources: [folder], out, embedder, metadata });
  t.match(summary, { touched: 1, unchanged: 2, added: 0, changed: 0 });
  const { items } = await readIndex(out);
  t.match(items[1], { caption: 'new words', metadata: { year: 3 } });
  t.equal(embedder.images, 3);
});

t.test('a file that is changed back while a build is interrupted is the old one', async (t) => {
  const dir = t.testdir();
  const folder = photos(dir, 12);
  const out = join(dir, 'photos.corvid');
  const sources = [folder];
  await buildIndex({ sources, out, embedder: new TinyEmbedder() });
  const before = await readIndex(out);
  const file = join(folder, NAMES[0] as string);
  copyFileSync(join(PICTURES, NAMES[40] as string), file);
  photos(dir, 60, 12);
  const controller = new AbortController();
  const interrupted = buildIndex({
    sources,
    out,
    embedder: new TinyEmbedder('tiny', 30),
    signal: controller.signal,
    onProgress: ({ phase, done }) => phase === 'embed' && done >= 24 && controller.abort(),
  });
  await t.rejects(interrupted, { code: 'ERR_ABORTED' });
  copyFileSync(join(PICTURES, NAMES[0] as string), file);
  utimesSync(file, 77, 77);
  const summary = await buildIndex({ sources, out, embedder: new TinyEmbedder() });
  t.match(summary, { added: 60, changed: 0, touched: 1, rows: 72 });
  const after = await readIndex(out);
  const [then, now] = [before, after].map(({ vectors }) => vectors.get(0) as Float32Array);
  t.ok(cosine(then as Float32Array, now as Float32Array) > 0.999);
});

t.test('an index refuses what it was not made for', async (t) => {
  const dir = t.testdir({ other: { 'notes.txt': 'mine' } });
  const folder = photos(dir, 3);
  const out = join(dir, 'photos.corvid');
  const sources = [folder];
  await buildIndex({ sources, out, embedder: new TinyEmbedder('one') });
  photos(dir, 4);
  const another = buildIndex({ sources, out, embedder: new TinyEmbedder('two') });
  await t.rejects(another, { code: 'ERR_ENCODER_MISMATCH', message: /one.*two/s });
  const embedder = new TinyEmbedder('one');
  const contradicting = buildIndex({ sources, out, embedder, vectors: 'none' });
  await t.rejects(contradicting, { code: 'ERR_INDEX_EXISTS' });
  await t.rejects(buildIndex({ sources, out, embedder, levels: [64, 128] }), {
    code: 'ERR_INDEX_EXISTS',
  });
  const strangers = buildIndex({ sources, out: join(dir, 'other'), embedder });
  await t.rejects(strangers, { code: 'ERR_NOT_AN_INDEX' });
  t.same(readdirSync(join(dir, 'other')), ['notes.txt']);
  await t.rejects(buildIndex({ sources: [], out }), { code: 'ERR_USAGE' });
  await t.rejects(buildIndex({ sources: [join(dir, 'none')], out }), { code: 'ERR_NOT_FOUND' });
});

t.test('one writer at a time', async (t) => {
  const dir = t.testdir();
  const sources = [photos(dir, 16)];
  const out = join(dir, 'photos.corvid');
  const first = buildIndex({ sources, out, embedder: new TinyEmbedder('a', 200) });
  await new Promise((resolve) => setTimeout(resolve, 100));
  await t.rejects(buildIndex({ sources, out, embedder: new TinyEmbedder('a') }), {
    code: 'ERR_LOCKED',
  });
  t.match(await first, { rows: 16 });
});

t.test('an aborted build keeps what it has embedded', async (t) => {
  const dir = t.testdir();
  const sources = [photos(dir, 60)];
  const out = join(dir, 'photos.corvid');
  const slow = new TinyEmbedder('a', 60);
  const controller = new AbortController();
  const onProgress = ({ phase, done }: BuildProgress) => {
    if (phase === 'embed' && done >= 16) controller.abort();
  };
  const error = await buildIndex({
    sources,
    out,
    embedder: slow,
    signal: controller.signal,
    onProgress,
  }).catch((caught: unknown) => caught);
  t.ok(error instanceof CorvidError && error.code === 'ERR_ABORTED');
  const quick = new TinyEmbedder('a');
  t.match(await buildIndex({ sources, out, embedder: quick }), { rows: 60, added: 60 });
  t.ok(slow.images >= 16 && slow.images + quick.images === 60, `${slow.images}, ${quick.images}`);
});
