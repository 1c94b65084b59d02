// Trains a codec, or takes the one that an interrupted build has trained from the same rows.
//
// The trained codec is saved in staging before anything is encoded with it: staging/trained.bin,
// and beside it, written last, what it was trained from. Training takes minutes, so a build that
// was killed afterwards must not repeat it.
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findLists, openCodec, saveCodec, trainCodec } from '../../codec/codec.js';
import { fromSystemError } from '../../errors.js';
import { type NativeCodec, type NativeLists, native } from '../../native/addon.js';
import type { BuildChoice } from '../plan/choice.js';
import { type RowSource, totalRows } from '../rows/row-source.js';
import { chooseRows, chooseRuns, readPicks, sampleRows } from '../rows/sample.js';
import type { BuildContext } from '../settings/context.js';

/** Makes the random numbers differ from those of the training sample. */
const LIST_SEED_OFFSET = 0x51ed270b;

/**
 * @param heldBack rows, counted over all sources, that are not trained on
 * @returns a codec read back from its file, so that it is the same after an interruption
 */
export async function trainForBuild(
  sources: readonly RowSource[],
  heldBack: Float64Array,
  choice: BuildChoice,
  context: BuildContext,
): Promise<NativeCodec> {
  const { settings, progress, writer } = context;
  const dims = sources[0]?.dims ?? 0;
  const { seed, threads, signal } = settings;
  const path = join(writer.staging, 'trained.bin');
  const recordPath = join(writer.staging, 'trained.json');
  const record = describe(sources, { ...choice, dims, seed, heldBack: heldBack.length });
  if ((await readIfThere(recordPath)) === record) return openCodec(path);

  const total = totalRows(sources);
  const excluded = new Set(heldBack);
  const lists =
    choice.listRows > 0 ? await listsForBuild(sources, excluded, choice, context) : null;
  const picks = chooseRows(total, Math.min(choice.trainingRows, total), seed);
  const sample = await progress.during('sample', picks.length, () =>
    sampleRows(
      sources,
      picks.filter((row) => !excluded.has(row)),
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
  sources: readonly RowSource[],
  excluded: ReadonlySet<number>,
  { lists, listRows }: BuildChoice,
  { settings, progress }: BuildContext,
): Promise<NativeLists> {
  const { seed, threads, signal } = settings;
  const picks = chooseRuns(totalRows(sources), listRows, seed + LIST_SEED_OFFSET).filter(
    (row) => !excluded.has(row),
  );
  const dims = sources[0]?.dims ?? 0;
  const sample = new native.ByteSample(picks.length, dims);
  try {
    await progress.during('sample', picks.length, async () => {
      let done = 0;
      for await (const unit of readPicks(sources, picks, signal)) {
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

/** A text that differs when training would give another codec. */
function describe(sources: readonly RowSource[], options: object): string {
  const hash = createHash('sha256');
  for (const { identity } of sources) hash.update(`${identity}\n`);
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
