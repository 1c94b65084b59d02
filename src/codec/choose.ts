// Which codec suits a collection: method, levels, lists, groups, and how many rows to train on.
//
// A function of sizes alone, so that the same collection always gets the same answer. What
// lists and groups gain: `npm run bench -- recall` with --lists, --groups and --outer-groups.

/** What `trainCodec` needs besides the sample. */
export interface CodecChoice {
  method: 'trained' | 'rotation';
  levels: number[];
  lists: number;
  groups: number;
  outerGroups: number;
}

/** Below this many rows a codec is not trained: a few images of one kind say nothing about the next
 * ones, and a random rotation needs no training. */
export const MIN_TRAINED_ROWS = 1_000;

/** The most rows to train on: more gain little recall, and training stays within minutes and a
 * gigabyte. Very large collections train on more, because they have more groups. */
export const MAX_TRAINING_ROWS = 100_000;
const LARGE_TRAINING_SHARE = 1 / 64;
const LARGE_TRAINING_ROWS = 384_000;

const ALL_LEVELS = [64, 128, 256, 512];
/** Training rows per list: with fewer, a centroid fits its training rows and not later ones; with
 * more, lists are larger and 64 bits must tell more rows apart. */
const ROWS_PER_LIST = 64;
/** Large collections have 2 ^ round(LIST_EXPONENT * log2(rows)) lists, 2^18 for a billion, so that a
 * search reads little. */
const LIST_EXPONENT = 0.6;
/** Fewer lists are chosen where there are not this many training rows for each. */
export const MIN_ROWS_PER_LIST = 8;
/** Where there are too few training rows for the lists, they are found among more rows, this many for
 * each. */
export const FOUND_ROWS_PER_LIST = 24;
/** Training rows that a group of lists needs for its directions and corners. */
const ROWS_PER_GROUP = 1_500;
const MAX_GROUPS = 256;
/** Training rows that a residual group needs. A query is projected once for each, and more than four
 * gain nothing. */
const ROWS_PER_OUTER_GROUP = 6_000;
const MAX_OUTER_GROUPS = 4;

/** The levels that embeddings of `dims` numbers can have: none above max(64, dims). */
export function levelsFor(dims: number): number[] {
  return ALL_LEVELS.filter((bits) => bits <= Math.max(64, dims));
}

/** How many rows of a collection to train on. */
export function trainingRowsFor(rows: number): number {
  const large = Math.min(LARGE_TRAINING_ROWS, Math.floor(rows * LARGE_TRAINING_SHARE));
  return Math.min(rows, Math.max(MAX_TRAINING_ROWS, large));
}

/**
 * The codec for a collection.
 * @param rows rows that the collection has, or is expected to have
 * @param trainingRows rows of the sample, at most `rows`
 * @param dims numbers in an embedding
 * @param listRows rows that lists can be found among, at least `trainingRows`
 */
export function chooseCodec(
  rows: number,
  trainingRows: number,
  dims: number,
  listRows = trainingRows,
): CodecChoice {
  const levels = levelsFor(dims);
  if (trainingRows < MIN_TRAINED_ROWS) {
    return { method: 'rotation', levels, lists: 1, groups: 1, outerGroups: 1 };
  }
  const ideal = 2 ** Math.round(LIST_EXPONENT * Math.log2(rows));
  const lists = Math.max(
    powerOfTwoBelow(trainingRows / ROWS_PER_LIST),
    Math.min(ideal, powerOfTwoBelow(listRows / MIN_ROWS_PER_LIST)),
  );
  const share = (rowsEach: number, most: number) =>
    Math.max(1, Math.min(most, Math.round(trainingRows / rowsEach)));
  const groups = share(ROWS_PER_GROUP, Math.min(MAX_GROUPS, lists));
  const outerGroups = share(ROWS_PER_OUTER_GROUP, Math.min(MAX_OUTER_GROUPS, groups));
  return { method: 'trained', levels, lists, groups, outerGroups };
}

function powerOfTwoBelow(value: number): number {
  return 2 ** Math.floor(Math.log2(value));
}
