// What a build is about to do to an index, from the catalog and the number of new rows. Used before
// images are embedded, before a commit, and by a dry run.
import { join } from 'node:path';
import { openCodec } from '../../codec/codec.js';
import type { CodecInfo, NativeCodec } from '../../native/addon.js';
import type { Catalog, SegmentRecord } from '../../store/catalog.js';
import type { BuildEstimate } from '../settings/options.js';
import type { BuildSettings } from '../settings/settings.js';
import { buildRecordOf } from './build-record.js';
import { type BuildChoice, chooseForBuild } from './choice.js';
import { estimateBuild } from './estimate.js';
import { type CommitPlan, planCommit } from './plan.js';

/** The index as it is before the build. */
export interface IndexState {
  codec: CodecInfo | null;
  liveCodec: NativeCodec | null;
  rowsAtTraining: number;
  segments: SegmentRecord[];
  vectors: boolean;
  /** Rows of items removed by earlier builds. */
  removedRows: number;
}

/** What will be done to it. */
export interface Work {
  dims: number;
  addedRows: number;
  removedRows: number;
  hasItems: boolean;
  /** Images whose embeddings will be in the journal. */
  journaled: number;
}

export interface Forecast {
  plan: CommitPlan;
  choice: BuildChoice;
  estimate: BuildEstimate;
}

/** @param catalog that of the index at `path`, or null where there is none yet */
export function readState(path: string, catalog: Catalog | null): IndexState {
  const settings = catalog?.settings();
  const file = settings?.codec ?? null;
  const liveCodec = file === null ? null : openCodec(join(path, file.name));
  return {
    codec: liveCodec?.info() ?? null,
    liveCodec,
    rowsAtTraining: (settings && buildRecordOf(settings))?.rowsAtTraining ?? 0,
    segments: catalog?.segments() ?? [],
    vectors: settings?.vectors ?? false,
    removedRows: catalog?.removedCount() ?? 0,
  };
}

export function forecast(state: IndexState, work: Work, settings: BuildSettings): Forecast {
  const { dims, addedRows, hasItems, journaled } = work;
  const before = { ...state, removedRows: state.removedRows + work.removedRows };
  const choose = (rows: number) => chooseForBuild(rows, dims, settings);
  const plan = planCommit(before, addedRows, settings.vectors, (rows) => choose(rows).method);
  const choice = choose(plan.rows);
  const estimate = estimateBuild({
    rows: addedRows + plan.rewrite.reduce((sum, { rows }) => sum + rows, 0),
    dims,
    levels: plan.train ? choice.levels : (state.codec?.levels ?? choice.levels),
    vectors: plan.vectors,
    items: hasItems ? addedRows : 0,
    journaled,
    trainingRows: plan.train ? choice.trainingRows : 0,
    listRows: plan.train ? choice.listRows : 0,
    lists: plan.train ? choice.lists : 0,
  });
  return { plan, choice, estimate };
}
