// Makes a change to the collection live: train → encode and add items → calibrate → publish.
//
// Files are written to staging and items get ids that readers do not see; `writer.publish` is the
// only step that readers see. A failure or a kill before it leaves the index as it was, and in
// staging what the next run resumes with: the trained codec, its routing graph, and the checkpoints
// of the segment. The items that it has added are dropped when the next run begins.
import type { EncoderFingerprint } from '../../embed/embedder.js';
import { toRecords } from '../../query/recall/measure-recall.js';
import type { RecallCard } from '../../query/recall/recall-card.js';
import type { IndexSettings, SourceRecord } from '../../store/catalog.js';
import type { NewItem } from '../../store/catalog-writer.js';
import { type Publication, segmentFolder } from '../../store/index-folder.js';
import { type BuildRecord, buildRecordOf } from '../plan/build-record.js';
import type { BuildChoice } from '../plan/choice.js';
import { checkFits } from '../plan/estimate.js';
import { forecast, type IndexState, readState } from '../plan/forecast.js';
import type { CommitPlan } from '../plan/plan.js';
import { type RowSource, totalRows } from '../rows/row-source.js';
import { SegmentRows } from '../rows/segment-rows.js';
import type { BuildContext } from '../settings/context.js';
import { VERSION } from '../settings/version.js';
import { calibrate, GroundTruth, heldBackRows } from './calibrate.js';
import { encodeSegment, segmentUuid } from './encode.js';
import { stageCodec } from './stage-codec.js';
import { trainForBuild } from './train.js';

/** A change to the collection, as a build has found it. */
export interface Change {
  kind: BuildRecord['kind'];
  dims: number;
  encoder: EncoderFingerprint | null;
  /** Whether items are in the catalog. */
  hasItems: boolean;
  /** New rows, with ids from the present `nextId` on. */
  added: readonly RowSource[];
  nextId: number;
  removeIds: readonly number[];
  updateItems: readonly NewItem[];
  putSources: readonly SourceRecord[];
  dropSources: readonly number[];
}

export interface Committed {
  trained: boolean;
  rows: number;
}

/** Commits `change`, unless there is nothing to do. */
export async function commitChange(change: Change, context: BuildContext): Promise<Committed> {
  const { writer, settings, progress } = context;
  prepareCatalog(change, context);
  const state = readState(writer.path, writer.catalog);
  const work = {
    dims: change.dims,
    addedRows: totalRows(change.added),
    removedRows: change.removeIds.length,
    hasItems: change.hasItems,
    journaled: 0,
  };
  const { plan, choice, estimate } = forecast(state, work, settings);
  if (work.addedRows === 0 && plan.rewrite.length === 0 && isIdle(change)) {
    return { trained: false, rows: plan.rows };
  }
  await checkFits(estimate, writer.path, settings.memoryBytes);
  const publication: Publication = {
    ...withoutSegments(change),
    dropSegments: plan.rewrite.map(({ number }) => number),
    forgetRemoved: plan.rewrite.length === state.segments.length,
  };
  let recallCard: RecallCard | null = null;
  const old = openOldRows(plan, state, change, context);
  try {
    const copied = plan.train ? [] : old.filter(({ rows }) => rows > 0);
    const encoded = [...(plan.train ? old : []), ...change.added].filter(({ rows }) => rows > 0);
    let codec = state.liveCodec;
    let truth: GroundTruth | null = null;
    if (plan.train && encoded.length > 0) {
      const heldBack = heldBackRows(encoded, settings.seed);
      codec = await trainForBuild(encoded, heldBack, choice, context);
      truth = await GroundTruth.of(encoded, heldBack, context);
      Object.assign(publication, await stageCodec(codec, context));
    }
    if (copied.length + encoded.length > 0 && codec !== null) {
      const content = { copied, encoded };
      const uuid = segmentUuid(content, codec, plan.vectors);
      const staged = { ...writer.newSegment(uuid), vectors: plan.vectors };
      const written = await encodeSegment(content, codec, staged, truth, context);
      publication.segments = [{ ...staged, rows: written.rows }];
      if (truth !== null && publication.codec !== undefined) {
        const files = { codec: publication.codec, segment: staged };
        const calibration = truth.calibration();
        publication.calibration = toRecords(calibration);
        recallCard = await progress.during('calibrate', 0, () =>
          calibrate(calibration, { ...files, ...written }, context),
        );
      }
    }
  } finally {
    for (const source of old) source.close();
  }
  const trained = publication.codec !== undefined;
  publication.settings = nextSettings(change, plan, trained ? choice : null, context);
  // Later rows hardly change what an effort finds, and a new codec gets a new card.
  if (trained) Object.assign(publication.settings, { recallCard });
  if (trained) publication.calibration ??= [];
  await progress.during('commit', 0, async () => writer.publish(publication));
  return { trained, rows: plan.rows };
}

/** The rows of the segments that are rewritten, without those of removed items. */
function openOldRows(
  { rewrite }: CommitPlan,
  { liveCodec }: IndexState,
  { removeIds }: Change,
  { writer }: BuildContext,
): SegmentRows[] {
  if (liveCodec === null) return [];
  const removed = new Set([...writer.catalog.removedIds(), ...removeIds]);
  return rewrite.map(
    ({ number }) => new SegmentRows(segmentFolder(writer.path, number), liveCodec, removed),
  );
}

/** Makes the catalog of a new index; drops the items that an interrupted build has left in an old one. */
function prepareCatalog({ kind, dims, encoder, hasItems }: Change, context: BuildContext): void {
  const { writer, settings } = context;
  if (!writer.isNew) {
    writer.catalog.dropUncommitted();
    return;
  }
  const build: BuildRecord = { kind, rowsAtTraining: 0, choice: null, seed: settings.seed };
  writer.create({
    writtenBy: VERSION,
    dims,
    encoder,
    vectors: false,
    hasItems,
    nextId: 0,
    recallCard: null,
    build,
  });
}

function isIdle(change: Change): boolean {
  return [change.removeIds, change.updateItems, change.putSources, change.dropSources].every(
    ({ length }) => length === 0,
  );
}

function withoutSegments({ removeIds, updateItems, putSources, dropSources }: Change): Publication {
  return { removeIds, updateItems, putSources, dropSources };
}

function nextSettings(
  { kind, dims, encoder, hasItems, nextId }: Change,
  plan: CommitPlan,
  trainedChoice: BuildChoice | null,
  { settings, writer }: BuildContext,
): Partial<IndexSettings> {
  const known = writer.catalog.settings();
  const build: BuildRecord | null =
    trainedChoice === null
      ? buildRecordOf(known)
      : { kind, rowsAtTraining: plan.rows, choice: trainedChoice, seed: settings.seed };
  return {
    writtenBy: VERSION,
    dims,
    encoder: encoder ?? (known.codec === null ? null : known.encoder),
    vectors: plan.vectors,
    hasItems,
    nextId,
    build,
  };
}
