// slow: loads the encoder several times.
//
// The bundled encoder: meaning, batches, failures, offline behaviour, downloads.
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { openClip } from '../../src/embed/clip.js';
import type { Embedder } from '../../src/embed/embedder.js';
import { cosine, picture, pictureBytes, pictureNames } from './images.js';

const MODEL = fileURLToPath(new URL('../../../src/embed/models/clip-nano', import.meta.url));
const row = (rows: Float32Array, i: number) => rows.subarray(i * 512, (i + 1) * 512);

let clip: Embedder;
t.before(async () => {
  clip = await openClip('clip-nano');
});
t.teardown(() => clip.close());

t.test('a picture is nearest to the text that describes it', async (t) => {
  const files = ['birds-crow.jpg', 'amphibians-frog.jpg', 'aquatic-dolphin.jpg'].map(picture);
  const { embeddings, failures } = await clip.embedImages(files);
  const texts = await clip.embedTexts(['a black bird', 'a frog', 'a dolphin']);
  t.strictSame(failures, []);
  for (let image = 0; image < 3; image++) {
    const scores = [0, 1, 2].map((text) => cosine(row(embeddings, image), row(texts, text)));
    t.equal(scores.indexOf(Math.max(...scores)), image, scores.join(' '));
  }
});

t.test('embeddings are of unit length, and the same alone or in a batch', async (t) => {
  const files = pictureNames().slice(0, 11).map(picture);
  const { embeddings } = await clip.embedImages(files);
  for (const i of [0, 7, 10]) {
    const alone = (await clip.embedImages([pictureBytes(pictureNames()[i] as string)])).embeddings;
    t.ok(Math.abs(Math.hypot(...alone) - 1) < 1e-5);
    t.strictSame(alone, row(embeddings, i).slice(), 'bit by bit, from bytes as from a path');
  }
});

t.test('a bad image is a failure, and the others are embedded', async (t) => {
  const good = picture('birds-crow.jpg');
  const whole = pictureBytes('birds-crow.jpg');
  const cut = whole.subarray(0, whole.length * 0.6);
  const result = await clip.embedImages([
    good,
    Buffer.from('no image'),
    picture('missing.jpg'),
    cut,
    good,
  ]);
  t.strictSame(
    result.failures.map(({ index, error }) => [index, (error as { code?: string }).code]),
    [
      [1, 'ERR_IMAGE_FORMAT'],
      [2, 'ERR_NOT_FOUND'],
    ],
  );
  t.strictSame(result.damaged, [3]);
  t.ok(row(result.embeddings, 1).every((value) => value === 0));
  t.ok(cosine(row(result.embeddings, 0), row(result.embeddings, 4)) > 0.9999);
  const none = await clip.embedImages([Buffer.from('no image')]);
  t.equal(none.failures.length, 1, 'also when there is nothing else');
});

t.test('calls may overlap, and an aborted one ends alone', async (t) => {
  const files = pictureNames().slice(0, 24).map(picture);
  const controller = new AbortController();
  const aborted = clip.embedImages(files, { signal: controller.signal });
  const other = clip.embedImages(files.slice(0, 2));
  controller.abort();
  await t.rejects(aborted, { code: 'ERR_ABORTED' });
  t.equal((await other).embeddings.length, 2 * 512);
  await t.rejects(clip.embedTexts(['x'], { signal: controller.signal }), { code: 'ERR_ABORTED' });
});

t.test('an empty text is refused, and no text gives no row', async (t) => {
  await t.rejects(clip.embedTexts(['a dog', '  ']), { code: 'ERR_QUERY', message: /texts\[1\]/ });
  t.equal((await clip.embedTexts([])).length, 0);
});

t.test('the fingerprint depends on weights and preprocessing, not on the path', async (t) => {
  const copy = join(t.testdir(), 'moved');
  cpSync(MODEL, copy, { recursive: true });
  const moved = await openClip(copy);
  t.equal(moved.fingerprint.id, clip.fingerprint.id);
  t.equal(moved.fingerprint.model, copy);
  await moved.close();
  const config = join(copy, 'preprocessor_config.json');
  writeFileSync(config, readFileSync(config, 'utf8').replace('"resample": 1', '"resample": 2'));
  const other = await openClip(copy);
  t.not(other.fingerprint.id, clip.fingerprint.id);
  await other.close();
});

t.test('a missing model is refused with a hint', async (t) => {
  await t.rejects(openClip('nobody/nothing-at-all'), {
    code: 'ERR_MODEL_NOT_FOUND',
    message: /--model clip-nano/,
  });
  await t.rejects(openClip('/no/such/folder'), { code: 'ERR_MODEL_NOT_FOUND' });
  const folder = t.testdir({ broken: { 'config.json': '{"model_type":"bert"}' } });
  await t.rejects(openClip(join(folder, 'broken')), { code: 'ERR_MODEL_INVALID', message: /bert/ });
});

t.test('a damaged weight file is an error, not a crash', async (t) => {
  const copy = join(t.testdir(), 'damaged');
  cpSync(MODEL, copy, { recursive: true });
  writeFileSync(join(copy, 'onnx', 'text_model_quantized.onnx'), 'no network');
  const broken = await openClip(copy);
  await t.rejects(broken.embedTexts(['a dog']), { code: 'ERR_MODEL_INVALID' });
  await broken.close();
});

t.test('a model of the hub is downloaded once, on request, and then used offline', async (t) => {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    const file = /^\/some\/clip\/resolve\/main\/(.+)$/.exec(request.url ?? '')?.[1];
    try {
      response.end(readFileSync(join(MODEL, file ?? 'none')));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const cache = t.testdir();
  const before = { ...process.env };
  process.env.CORVID_CACHE = cache;
  process.env.HF_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  t.teardown(() => {
    process.env = before;
  });
  await t.rejects(
    openClip('some/clip'),
    { code: 'ERR_MODEL_NOT_FOUND' },
    'no download unless allowed',
  );
  t.equal(requests, 0);
  const downloaded = await openClip('some/clip', { allowDownload: true });
  t.equal(downloaded.fingerprint.id, clip.fingerprint.id);
  await downloaded.close();
  const downloads = requests;
  t.ok(downloads > 0);
  const again = await openClip('some/clip');
  t.equal((await again.embedTexts(['a dog'])).length, 512);
  await again.close();
  t.equal(requests, downloads, 'no further request');
});

t.test('an encoder can be opened again after the last one was closed', async (t) => {
  const clipUrl = new URL('../../src/embed/clip.js', import.meta.url).href;
  const script = `import { openClip } from ${JSON.stringify(clipUrl)};
    for (let round = 0; round < 3; round++) {
      const clip = await openClip('clip-nano');
      await clip.embedTexts(['a dog']);
      await clip.close();
      process.stdout.write('.');
    }`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  t.strictSame([run.status, run.stdout, run.stderr], [0, '...', '']);
});

t.test('a closed encoder is refused with ERR_CLOSED, and lets the process end', async (t) => {
  const clipUrl = new URL('../../src/embed/clip.js', import.meta.url).href;
  const script = `import { openClip } from ${JSON.stringify(clipUrl)};
    const clip = await openClip('clip-nano');
    await clip.embedTexts(['a dog']);
    await clip.embedImages([${JSON.stringify(picture('birds-crow.jpg'))}]);
    await clip.close();
    await clip.embedTexts(['a dog']).catch((error) => process.stdout.write(error.code));`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  t.strictSame([run.status, run.signal, run.stdout, run.stderr], [0, null, 'ERR_CLOSED', '']);
});
