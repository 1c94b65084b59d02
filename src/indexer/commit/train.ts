// Trains a codec, or takes the one that an interrupted build had trained from the same rows.
//
// The trained codec is saved in staging before anything is encoded with it: staging/trained.bin,
// and beside it, written last, what it was trained from. Training takes minutes, so a build that
// was killed afterwards must not do it again.
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findLists, openCodec, saveCodec, trainCodec } from '../../codec/codec.js';
import { fromSystemError } from '../../errors.js';
import { type NativeCodec, type NativeLists, native } from '../../native/addon.js';
import type { BuildContext } from '../context.js';
import type { BuildChoice } from '../plan/choice.js';
import type { Rows } from './rows.js';
import { chooseRows, chooseRuns, readPicks, sampleRows } from './sample.js';

/** Another stream of random numbers than the training sample is drawn from. */
const LIST_SEED_OFFSET = 0x51ed270b;

/**
 * @param heldBack rows of all supplies, counted through, that are not trained on
 * @returns a codec read back from its file, so that it is the same after an interruption
 */
export async function trainForBuild(
  supplies: readonly Rows[],
  heldBack: Float64Array,
  choice: BuildChoice,
  context: BuildContext,
): Promise<NativeCodec> {
  const { settings, progress, writer } = context;
  const dims = supplies[0]?.dims ?? 0;
  const { seed, threads, signal } = settings;
  const path = join(writer.staging, 'trained.bin');
  const recordPath = join(writer.staging, 'trained.json');
  const record = describe(supplies, { ...choice, dims, seed, heldBack: heldBack.length });
  if ((await readIfThere(recordPath)) === record) return openCodec(path);

  const total = totalRows(supplies);
  const left = new Set(heldBack);
  const lists = choice.listRows > 0 ? await listsForBuild(supplies, left, choice, context) : null;
  const picks = chooseRows(total, Math.min(choice.trainingRows, total), seed);
  const sample = await progress.during('sample', picks.length, () =>
    sampleRows(
      supplies,
      picks.filter((row) => !left.has(row)),
      { signal, onRow: (done) => progress.update(done) },
    ),
  );
  await progress.during('train', 0, async () => {
    const { trainingRows, listRows, ...codecChoice } = choice;
    const onProgress = ({ done, total }: { done: number; total: number }) =>
      progress.update(done, total);
    const options = { ...codecChoice, dims, seed, threads, signal, onProgress };
    const codec = await trainCodec(sample, options, lists);
    await rm(recordPath, { force: true });
    await saveCodec(codec, path);
    await writeFile(recordPath, record).catch((error: unknown) => {
      throw fromSystemError(error, recordPath, 'keep the trained codec');
    });
  });
  return openCodec(path);
}

/** Finds lists among more rows than the training sample has. */
async function listsForBuild(
  supplies: readonly Rows[],
  left: ReadonlySet<number>,
  { lists, listRows }: BuildChoice,
  { settings, progress }: BuildContext,
): Promise<NativeLists> {
  const { seed, threads, signal } = settings;
  const picks = chooseRuns(totalRows(supplies), listRows, seed + LIST_SEED_OFFSET).filter(
    (row) => !left.has(row),
  );
  const dims = supplies[0]?.dims ?? 0;
  const sample = new native.ByteSample(picks.length, dims);
  try {
    await progress.during('sample', picks.length, async () => {
      let done = 0;
      for await (const unit of readPicks(supplies, picks, signal)) {
        sample.add(unit);
        done += unit.length / dims;
        progress.update(done);
      }
    });
    const onProgress = ({ done, total }: { done: number; total: number }) =>
      progress.update(done, total);
    return await progress.during('train', 0, () =>
      findLists(sample, { lists, seed, threads, signal, onProgress }),
    );
  } finally {
    sample.free();
  }
}

function totalRows(supplies: readonly Rows[]): number {
  return supplies.reduce((sum, { rows }) => sum + rows, 0);
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
