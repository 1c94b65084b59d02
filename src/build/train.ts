// Trains a codec, or takes the one that an interrupted build had trained from the same rows.
//
// The trained codec is saved in staging before anything is encoded with it: staging/trained.bin,
// and beside it, written last, what it was trained from. Training takes minutes, so a build that
// was killed afterwards must not do it again.
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCodec, saveCodec, trainCodec } from '../codec/codec.js';
import { fromSystemError } from '../errors.js';
import type { NativeCodec } from '../native.js';
import type { BuildChoice } from './choice.js';
import type { BuildContext } from './context.js';
import type { Rows } from './rows.js';
import { chooseRows, sampleRows } from './sample.js';

/**
 * @param heldBack rows of all supplies, counted through, that are not trained on
 * @returns a codec read back from its file, so that it is the same after an interruption
 */
export async function trainForBuild(
  supplies: readonly Rows[],
  heldBack: Float64Array,
  { trainingRows, ...choice }: BuildChoice,
  { settings, progress, writer }: BuildContext,
): Promise<NativeCodec> {
  const dims = supplies[0]?.dims ?? 0;
  const { seed, threads, signal } = settings;
  const path = join(writer.staging, 'trained.bin');
  const recordPath = join(writer.staging, 'trained.json');
  const record = describe(supplies, {
    ...choice,
    dims,
    seed,
    trainingRows,
    heldBack: heldBack.length,
  });
  if ((await readIfThere(recordPath)) === record) return openCodec(path);

  const total = supplies.reduce((sum, { rows }) => sum + rows, 0);
  const left = new Set(heldBack);
  const picks = chooseRows(total, Math.min(trainingRows, total), seed);
  const sample = await progress.during('sample', picks.length, () =>
    sampleRows(
      supplies,
      picks.filter((row) => !left.has(row)),
      { signal, onRow: (done) => progress.update(done) },
    ),
  );
  await progress.during('train', 0, async () => {
    const codec = await trainCodec(sample, {
      ...choice,
      dims,
      seed,
      threads,
      signal,
      onProgress: ({ done, total }) => progress.update(done, total),
    });
    await rm(recordPath, { force: true });
    await saveCodec(codec, path);
    await writeFile(recordPath, record).catch((error: unknown) => {
      throw fromSystemError(error, recordPath, 'keep the trained codec');
    });
  });
  return openCodec(path);
}

/** A text that is another one when training would give another codec. */
function describe(supplies: readonly Rows[], options: object): string {
  const hash = createHash('sha256');
  for (const { identity } of supplies) hash.update(`${identity}\n`);
  return JSON.stringify({ ...options, rows: hash.digest('hex') });
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw fromSystemError(error, path, 'read the trained codec');
  }
}
