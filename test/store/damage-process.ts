// A process that opens and asks randomly damaged copies of a segment, for segment-damage.test.ts: if
// native code read out of bounds, this process would die, and the test say so.
//
// usage: node damage-process.js SEGMENT CODEC SEED
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CorvidError } from '../../src/errors.js';
import { fromNative, native } from '../../src/native/addon.js';
import { randomNumbers, randomVectors } from './fixture.js';

const [segmentDir = '', codecPath = '', seed = '0'] = process.argv.slice(2);
const random = randomNumbers(Number(seed));
const below = (limit: number): number => Math.floor(random() * limit);
const codec = native.openCodec(codecPath);
const folder = mkdtempSync(join(tmpdir(), 'corvid-damage-'));
const counts = { refused: 0, answered: 0 };

/** Overwrites a few places of a file, cuts it, or both; half the time the header is made to fit. */
function damage(file: Buffer): Buffer {
  for (let n = below(4); n >= 0; n--) {
    const at = random() < 0.5 ? below(Math.min(file.length, 200)) : below(file.length);
    file.fill(random() < 0.3 ? 0xff : below(256), at, at + 1 + below(8));
  }
  const cut = random() < 0.2 ? file.subarray(0, below(file.length)) : file;
  if (cut.length >= 64 && random() < 0.5) {
    Buffer.from('CORVID\x1a\n\x01\x00', 'latin1').copy(cut);
    cut.writeUInt32LE(native.crc32c(cut.subarray(0, 60)), 60);
  }
  return cut;
}

for (let round = 0; round < 400; round++) {
  const dir = join(folder, String(round));
  cpSync(segmentDir, dir, { recursive: true });
  const names = readdirSync(dir);
  const path = join(dir, names[below(names.length)] as string);
  writeFileSync(path, damage(readFileSync(path)));
  try {
    const segment = native.openSegment(dir, codec);
    const { rows, levels, vectors } = segment.info();
    const all = Float64Array.from({ length: rows }, (_, row) => row);
    const query = randomVectors(1, round);
    for (const scoring of ['asymmetric', 'hamming'] as const) {
      segment.scan({ query, lists: null, scoring, normWeight: 0.5, limit: 50, filter: 0 });
    }
    for (const bits of levels) segment.refine(query, all, bits);
    if (vectors) segment.rescore(query, all);
    segment.reconstruct(all.subarray(0, 20));
    segment.itemIds(all);
    segment.close();
    counts.answered++;
  } catch (error) {
    const known = fromNative(error);
    if (!(known instanceof CorvidError)) throw error;
    counts.refused++;
  }
  rmSync(dir, { recursive: true });
}
rmSync(folder, { recursive: true });
console.log(JSON.stringify(counts));
