// Pictures for the tests of src/embed: bundled ones, and synthetic ones.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';

export const PICTURES = fileURLToPath(new URL('../../../test/fixtures/pictures', import.meta.url));

export const picture = (name: string) => join(PICTURES, name);
export const pictureBytes = (name: string) => readFileSync(picture(name));
export const pictureNames = () => readdirSync(PICTURES).filter((name) => name.endsWith('.jpg'));

/** Left half one colour, right half another. */
export function twoHalves(width: number, height: number, left: string, right: string) {
  const half = { width: width / 2, height, channels: 3 as const };
  return sharp({ create: { width, height, channels: 3, background: left } }).composite([
    { input: { create: { ...half, background: right } }, left: width / 2, top: 0 },
  ]);
}

/** A PNG whose header claims this size, with hardly any data. */
export function pngClaiming(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const parts = [chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.alloc(100)))];
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...parts]);
}

export function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}
