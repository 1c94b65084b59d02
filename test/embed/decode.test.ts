// The pixels for the network: upright, three channels, on white, cropped as the model requires.
import sharp from 'sharp';
import t from 'tap';
import { decodeImage, thumbnail } from '../../src/embed/decode.js';
import { parsePreprocessing } from '../../src/embed/preprocessing.js';
import { picture, pictureBytes, twoHalves } from './images.js';

const CLIP = parsePreprocessing(
  {
    size: { shortest_edge: 32 },
    crop_size: { height: 32, width: 32 },
    resample: 3,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  },
  'preprocessor_config.json',
);

/** Colour of the pixel at (x, y), roughly: each channel 0 or 1. */
function colour(pixels: Uint8Array, x: number, y: number): string {
  return [0, 1, 2].map((c) => ((pixels[3 * (32 * y + x) + c] as number) > 127 ? 1 : 0)).join('');
}

t.test('a rotated picture is turned upright', async (t) => {
  const halves = twoHalves(64, 64, '#ff0000', '#0000ff');
  // Orientation 6: the camera's top is at the right, so the left half belongs on top.
  const content = await halves.withMetadata({ orientation: 6 }).png().toBuffer();
  const { pixels } = await decodeImage(content, CLIP);
  t.equal(colour(pixels, 16, 4), '100', 'red is above');
  t.equal(colour(pixels, 16, 28), '001', 'blue is below');
});

t.test('a wide picture is cropped to its centre', async (t) => {
  const middle = {
    input: { create: { width: 64, height: 64, channels: 3 as const, background: '#0f0' } },
  };
  const wide = sharp({ create: { width: 256, height: 64, channels: 3, background: '#f00' } });
  const content = await wide
    .composite([{ ...middle, left: 96, top: 0 }])
    .png()
    .toBuffer();
  const { pixels } = await decodeImage(content, CLIP);
  t.ok([2, 16, 30].every((x) => colour(pixels, x, 16) === '010'));
});

t.test('transparent parts are white, whatever colour hides there', async (t) => {
  const hidden = { r: 0, g: 0, b: 0, alpha: 0 };
  const content = await sharp({
    create: { width: 64, height: 64, channels: 4, background: hidden },
  })
    .png()
    .toBuffer();
  const { pixels } = await decodeImage(content, CLIP);
  t.ok(pixels.every((value) => value === 255));
});

t.test('grey and CMYK pictures become RGB', async (t) => {
  const grey = await sharp(pictureBytes('birds-crow.jpg')).greyscale().jpeg().toBuffer();
  const { pixels } = await decodeImage(grey, CLIP);
  t.equal(pixels.length, 32 * 32 * 3);
  t.ok(
    [0, 99, 500].every((i) => pixels[3 * i] === pixels[3 * i + 1]),
    'all channels are equal',
  );
  const red = twoHalves(64, 64, '#ff0000', '#ff0000');
  const cmyk = await red.toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
  const decoded = (await decodeImage(cmyk, CLIP)).pixels;
  t.equal(colour(decoded, 16, 16), '100', 'red stays red by way of CMYK');
});

t.test('every format, with eight bits or sixteen, decodes to the same colours', async (t) => {
  const red = () => twoHalves(64, 64, '#ff0000', '#0000ff');
  for (const [name, content] of Object.entries({
    jpeg: await red().jpeg({ quality: 95, progressive: true }).toBuffer(),
    webp: await red().webp({ quality: 95 }).toBuffer(),
    avif: await red().avif({ quality: 90, effort: 0 }).toBuffer(),
    tiff: await red().tiff().toBuffer(),
    gif: await red().gif().toBuffer(),
    palette: await red().png({ palette: true }).toBuffer(),
    'sixteen bits': await red().toColourspace('rgb16').png().toBuffer(),
  })) {
    const { pixels, damaged } = await decodeImage(content, CLIP);
    t.strictSame([pixels.length, damaged], [32 * 32 * 3, false], name);
    t.equal(colour(pixels, 4, 16) + colour(pixels, 28, 16), '100001', name);
  }
});

t.test('a large picture is shrunk without aliasing', async (t) => {
  // Stripes of one pixel: a resampler that picks pixels instead of averaging gives black or white.
  const side = 512;
  const stripes = Uint8Array.from({ length: side * side * 3 }, (_, i) =>
    Math.floor(i / 3) % 2 === 0 ? 255 : 0,
  );
  const raw = { width: side, height: side, channels: 3 as const };
  const content = await sharp(stripes, { raw }).png().toBuffer();
  const { pixels } = await decodeImage(content, CLIP);
  const inner = [8, 12, 16, 20, 24].map((x) => pixels[3 * (32 * 16 + x)] as number);
  t.ok(
    inner.every((value) => Math.abs(value - 128) < 12),
    inner.join(' '),
  );
});

t.test('a truncated file is decoded as far as possible, and marked as damaged', async (t) => {
  const whole = pictureBytes('birds-crow.jpg');
  const { pixels, damaged } = await decodeImage(whole.subarray(0, whole.length * 0.6), CLIP);
  t.equal(damaged, true);
  const intact = await decodeImage(whole, CLIP);
  t.equal(intact.damaged, false);
  const top = 32 * 3 * 8;
  const difference = pixels
    .subarray(0, top)
    .reduce((sum, value, i) => sum + Math.abs(value - (intact.pixels[i] as number)), 0);
  t.ok(difference / top < 8, `the upper part is there: ${difference / top}`);
});

t.test('a header without a picture is an error, not a grey square', async (t) => {
  const whole = pictureBytes('birds-crow.jpg');
  const scan = whole.indexOf(Buffer.from([0xff, 0xda]));
  await t.rejects(decodeImage(whole.subarray(0, scan + 16), CLIP), { code: 'ERR_IMAGE_DECODE' });
});

t.test('unknown preprocessing is refused by name', async (t) => {
  const fine = { image_mean: [0, 0, 0], image_std: [1, 1, 1] };
  for (const config of [
    { ...fine },
    { ...fine, size: 10, crop_size: 20 },
    { size: 10, crop_size: 10 },
  ]) {
    t.throws(() => parsePreprocessing(config, 'p.json'), {
      code: 'ERR_MODEL_INVALID',
      path: 'p.json',
    });
  }
  const squeezed = { ...fine, size: { height: 24, width: 24 }, do_center_crop: false };
  t.match(parsePreprocessing(squeezed, 'p.json'), { fit: 'fill', size: 24, resize: 24 });
});

t.test('a thumbnail is a small upright JPEG', async (t) => {
  const content = await thumbnail(picture('birds-crow.jpg'), 100);
  const { format, width = 0, height = 0 } = await sharp(content).metadata();
  t.equal(format, 'jpeg');
  t.equal(Math.max(width, height), 100);
  await t.rejects(thumbnail(picture('no-such.jpg'), 100), { code: 'ERR_NOT_FOUND' });
});

t.test('memory does not grow with the number of large pictures decoded', async (t) => {
  // Each takes 75 MB while it is decoded, and a leaking decoder would keep that.
  const side = 5000;
  const large = sharp({ create: { width: side, height: side, channels: 3, background: '#369' } });
  const content = await large.jpeg({ progressive: true }).toBuffer();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 6; i++) await decodeImage(content, CLIP);
  const grown = (process.memoryUsage().rss - before) / 1e6;
  t.ok(grown < 200, `${grown.toFixed(0)} MB`);
});
