// What is read from the header of an image, and which images are refused before decoding.
import sharp from 'sharp';
import t from 'tap';
import { inspectImage } from '../../src/embed/inspect.js';
import { pictureBytes, pngClaiming, twoHalves } from './images.js';

t.test('width and height are those of the upright picture', async (t) => {
  const lying = await twoHalves(60, 40, 'red', 'blue').withMetadata({ orientation: 6 }).jpeg();
  const { width, height, format } = await inspectImage(await lying.toBuffer());
  t.strictSame({ width, height, format }, { width: 40, height: 60, format: 'jpeg' });
});

t.test('the time and the place of a photograph are read', async (t) => {
  const content = await twoHalves(64, 64, 'red', 'blue')
    .withExif({
      IFD2: { DateTimeOriginal: '2023:07:14 10:11:12' },
      IFD3: {
        GPSLatitudeRef: 'S',
        GPSLatitude: '33/1 51/1 30/1',
        GPSLongitudeRef: 'E',
        GPSLongitude: '151/1 12/1 0/1',
      },
    })
    .jpeg()
    .toBuffer();
  const { taken, latitude, longitude } = await inspectImage(content);
  t.equal(taken, '2023-07-14 10:11:12');
  t.ok(Math.abs(Number(latitude) + 33.858333) < 1e-4, `south is negative: ${latitude}`);
  t.ok(Math.abs(Number(longitude) - 151.2) < 1e-4, `east is positive: ${longitude}`);
});

t.test('an invalid date counts as none', async (t) => {
  const exif = { IFD2: { DateTimeOriginal: '0000:00:00 00:00:00' } };
  const content = await twoHalves(64, 64, 'red', 'blue').withExif(exif).jpeg().toBuffer();
  t.equal((await inspectImage(content)).taken, null);
});

t.test('an animation counts as its first frame', async (t) => {
  const frames = [twoHalves(40, 30, 'red', 'blue'), twoHalves(40, 30, 'green', 'white')];
  const pages = await Promise.all(frames.map((frame) => frame.png().toBuffer()));
  const gif = await sharp(pages, { join: { animated: true } })
    .gif()
    .toBuffer();
  const { width, height } = await inspectImage(gif);
  t.strictSame([width, height], [40, 30]);
});

t.test('an unusable file is refused with a reason', async (t) => {
  const whole = pictureBytes('birds-crow.jpg');
  const tiny = await twoHalves(8, 8, 'red', 'blue').png().toBuffer();
  const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic')]);
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>');
  for (const [name, content, code, message] of [
    ['an empty file', Buffer.alloc(0), 'ERR_IMAGE_EMPTY', /empty/],
    ['text', Buffer.from('this is a plain text file'), 'ERR_IMAGE_FORMAT', /text that begins/],
    ['a few bytes of a JPEG', whole.subarray(0, 3), 'ERR_IMAGE_FORMAT', /not an image/],
    ['HEIC', heic, 'ERR_IMAGE_FORMAT', /convert it to JPEG/],
    ['a drawing', svg, 'ERR_IMAGE_FORMAT', /svg/],
    ['an icon', tiny, 'ERR_IMAGE_TOO_SMALL', /8 x 8/],
    ['a bomb', pngClaiming(20_000, 20_000), 'ERR_IMAGE_TOO_LARGE', /400000000/],
  ] as const) {
    await t.rejects(inspectImage(content), { name: 'CorvidError', code, message }, name);
  }
});

t.test('the caller sets the limits', async (t) => {
  const content = pictureBytes('birds-crow.jpg');
  const { width, height } = await inspectImage(content, { maxPixels: 10_000_000 });
  await t.rejects(inspectImage(content, { maxPixels: width * height - 1 }), {
    code: 'ERR_IMAGE_TOO_LARGE',
  });
  await t.rejects(inspectImage(content, { maxFileBytes: content.length - 1 }), {
    code: 'ERR_IMAGE_TOO_LARGE',
  });
});
