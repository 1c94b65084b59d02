// Vectors for benches: rows of a file or a folder, of unit length, in memory.
//
// A bench reads every format that a build reads, but the data set has to fit into memory.
import { createHash } from 'node:crypto';
import { CorvidError } from '../src/errors.js';
import { openSources } from '../src/indexer/sources/open.js';
import { native } from '../src/native/addon.js';

/** Rows of unit length. */
export interface Vectors {
  rows: number;
  dims: number;
  /** rows x dims. */
  values: Float32Array;
}

/** A data set whose rows may come from videos. */
export interface DataSet extends Vectors {
  /** Name of each row's video, or null if the metadata have none. */
  videos: string[] | null;
}

const BATCH_ROWS = 8192;
/** Of three videos, two are for training and one is indexed. */
const TRAIN_SHARE = 2 / 3;

function allocateVectors(rows: number, dims: number): Vectors {
  return { rows, dims, values: new Float32Array(rows * dims) };
}

/** One row, as a copy. */
export function rowOf({ values, dims }: Vectors, row: number): Float32Array {
  return values.slice(row * dims, (row + 1) * dims);
}

/** The given rows, as a copy. */
export function pickRows(from: Vectors, rows: readonly number[]): Vectors {
  const { dims } = from;
  const picked = allocateVectors(rows.length, dims);
  rows.forEach((row, i) => {
    picked.values.set(from.values.subarray(row * dims, (row + 1) * dims), i * dims);
  });
  return picked;
}

/** Reads an .npy file (or any other vector file), or a folder in the clip-retrieval layout. */
export async function loadVectors(path: string): Promise<DataSet> {
  const opened = await openSources([path], {});
  if (opened.kind !== 'vectors') {
    throw new CorvidError('ERR_USAGE', 'a bench needs ready-made vectors', {
      path,
      actual: 'a folder of images',
      hint: 'give an .npy file or a folder in the clip-retrieval layout',
    });
  }
  const { sources } = opened;
  const dims = sources[0]?.dims ?? 0;
  const all = allocateVectors(
    sources.reduce((sum, { rows }) => sum + rows, 0),
    dims,
  );
  const videos: string[] = [];
  let row = 0;
  for (const source of sources) {
    for await (const chunk of source.read({ batchRows: BATCH_ROWS })) {
      all.values.set(native.toUnit(chunk.vectors, dims), row * dims);
      row += chunk.rows;
      for (const item of chunk.items ?? []) {
        const video = item.metadata?.video;
        if (video !== undefined) videos.push(String(video));
      }
    }
    await source.close();
  }
  return { ...all, videos: videos.length === all.rows ? videos : null };
}

/**
 * Two thirds of the videos for training, the rest to be indexed: rows of one video resemble each
 * other so much that a split by row would test on what was trained on. Which videos: those whose
 * names, hashed with the seed, come first.
 */
export function splitByVideo(data: DataSet, seed: number): { train: Vectors; base: Vectors } {
  if (data.videos === null) {
    throw new CorvidError('ERR_USAGE', 'these data name no videos to split them by', {
      hint: 'give --base, or metadata with a field "video"',
    });
  }
  const hashed = (name: string) => createHash('sha256').update(`${seed} ${name}`).digest('hex');
  const order = [...new Set(data.videos)].map((name) => [hashed(name), name] as const).sort();
  const trained = new Set(
    order.slice(0, Math.floor(order.length * TRAIN_SHARE)).map(([, name]) => name),
  );
  const sides: [number[], number[]] = [[], []];
  data.videos.forEach((name, row) => {
    sides[trained.has(name) ? 0 : 1].push(row);
  });
  return { train: pickRows(data, sides[0]), base: pickRows(data, sides[1]) };
}
