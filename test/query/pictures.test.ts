// slow: loads the encoder.
//
// Real pictures and the bundled encoder: queries of texts and pictures, and refusal of other encoders.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type CorvidIndex, type Embedder, openClip, openIndex } from '../../src/index.js';
import { makeIndex, nearest, recall, rowOf } from './fixture.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const folder = join(root, 'test', 'fixtures', 'pictures');
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.jpg'))
  .filter((_, i) => i % 2 === 0);
const paths = names.map((name) => join(folder, name));

let clip: Embedder;
let embeddings: Float32Array;
let index: CorvidIndex;
let path: string;

t.before(async () => {
  clip = await openClip('clip-nano');
  ({ embeddings } = await clip.embedImages(paths));
  path = await makeIndex({
    dims: clip.fingerprint.dims,
    parts: [embeddings],
    method: 'rotation',
    lists: 1,
    groups: 1,
    vectors: true,
    encoder: clip.fingerprint,
    item: (id) => ({ key: names[id] as string, path: paths[id] as string }),
  });
  index = await openIndex(path);
});

t.teardown(async () => {
  await index.close();
  await clip.close();
});

const keys = ({ hits }: { hits: { key: string | null }[] }) => hits.map(({ key }) => key as string);

t.test('a text finds what brute force finds', async (t) => {
  const { dims } = clip.fingerprint;
  for (const text of ['a dog', 'a red flower', 'a musical instrument', 'the moon', 'a fish']) {
    const query = await clip.embedTexts([text]);
    const neighbours = nearest(embeddings, rowOf(query, dims, 0), 10);
    const { hits, exact, timings } = await index.search(text);
    const ids = hits.map(({ id }) => id);
    t.ok(recall(ids, neighbours) >= 0.9, `${text}: ${hits[0]?.key}`);
    t.equal(exact, true, 'all of so few rows are scored');
    t.ok(timings.embedMs > 0);
  }
});

t.test('a text is embedded once', async (t) => {
  const embedded: string[] = [];
  const embedder: Embedder = {
    fingerprint: clip.fingerprint,
    embedTexts: (texts, options) => {
      embedded.push(...texts);
      return clip.embedTexts(texts, options);
    },
    embedImages: clip.embedImages.bind(clip),
    close: async () => undefined,
  };
  await using opened = await openIndex(path, { embedder });
  const first = await opened.search('a dog');
  const [again] = await opened.searchBatch(['a dog', 'a cat', [{ text: 'a cat', weight: 2 }]]);
  t.same(keys(again as typeof first), keys(first));
  t.same(embedded, ['a dog', 'a cat']);
});

t.test('texts rank the right pictures first', async (t) => {
  for (const [text, expected] of [
    ['a photo of a guitar', /guitar|cello|violin/],
    ['a photo of a flower', /flower/],
    ['a photo of a bird', /bird/],
  ] as const) {
    const top = keys(await index.search(text, { limit: 5 }));
    t.ok(top.filter((key) => expected.test(key)).length >= 3, `${text}: ${top.join(' ')}`);
  }
});

t.test('a picture finds itself, by path and by bytes', async (t) => {
  const image = paths[20] as string;
  const byPath = await index.search({ image });
  t.equal(byPath.hits[0]?.key, names[20]);
  t.ok((byPath.hits[0]?.score as number) > 0.99);
  const byBytes = await index.search({ image: new Uint8Array(readFileSync(image)) });
  t.same(keys(byBytes), keys(byPath));
});

t.test('texts and pictures can be added and subtracted', async (t) => {
  const birds = keys(await index.search('a bird', { limit: 20 }));
  const fewer = keys(
    await index.search([{ text: 'a bird' }, { text: 'a penguin', weight: -0.7 }], { limit: 20 }),
  );
  const rank = (list: string[]) => {
    const at = list.findIndex((key) => key.includes('penguin'));
    return at < 0 ? Number.POSITIVE_INFINITY : at;
  };
  t.ok(rank(fewer) > rank(birds), 'penguins rank lower');
  const both = await index.search([
    { image: paths[20] as string },
    { text: 'in the water', weight: 0.5 },
  ]);
  t.equal(both.hits.length, 10);
});

t.test('a picture that cannot be read is refused', async (t) => {
  await t.rejects(index.search({ image: join(folder, 'none.jpg') }), { code: 'ERR_NOT_FOUND' });
  await t.rejects(index.search({ image: new Uint8Array(10) }), { code: 'ERR_IMAGE_FORMAT' });
});

t.test('another encoder is refused by name', async (t) => {
  const stranger = (fingerprint: Partial<Embedder['fingerprint']>): Embedder => ({
    fingerprint: { ...clip.fingerprint, ...fingerprint },
    embedTexts: clip.embedTexts.bind(clip),
    embedImages: clip.embedImages.bind(clip),
    close: async () => undefined,
  });
  const other = stranger({ id: 'f00d', model: 'other-clip' });
  await t.rejects(openIndex(path, { embedder: other }), {
    code: 'ERR_ENCODER_MISMATCH',
    expected: /clip-nano/,
    actual: /other-clip/,
  });
  await t.rejects(openIndex(path, { embedder: stranger({ dims: 8 }) }), { code: 'ERR_DIMENSION' });
  await t.rejects(openIndex(path, { embedder: other, model: 'clip-nano' }), { code: 'ERR_USAGE' });
  await using opened = await openIndex(path, { embedder: clip });
  t.equal((await opened.search('a dog')).hits.length, 10, 'the same encoder is accepted');
  await using missing = await openIndex(path, { model: join(folder, 'no-model') });
  await t.rejects(missing.search('a dog'), { code: 'ERR_MODEL_NOT_FOUND' });
  t.equal((await missing.search({ item: 0 })).hits.length, 10, 'vectors need no encoder');
});

t.test('the encoder of the index is loaded by the first query that needs it', async (t) => {
  const controller = new AbortController();
  await using fresh = await openIndex(path);
  const call = fresh.search('a text not seen before', { signal: controller.signal });
  controller.abort();
  await t.rejects(call, { code: 'ERR_ABORTED' });
  t.equal((await fresh.search('a text not seen before')).hits.length, 10);
});
