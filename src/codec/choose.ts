// Which codec suits a collection: method, levels, lists, groups, and how many rows to train on.
//
// A function of sizes alone, so that the same collection always gets the same answer. The figures
// behind the constants are in ARCHITECTURE.md, section "codec".

/** What `trainCodec` wants to know, besides the sample. */
export interface CodecChoice {
  method: 'trained' | 'rotation';
  levels: number[];
  lists: number;
  groups: number;
  outerGroups: number;
}

/** Below so many rows a codec is not trained: a random rotation needs no rows to learn from. */
export const MIN_TRAINED_ROWS = 4_000;

/** Rows to train on where there are more: recall gains little beyond, and training stays within
 * minutes and a gigabyte. */
export const MAX_TRAINING_ROWS = 100_000;

const ALL_LEVELS = [64, 128, 256, 512];
/** lists = 2 ^ round(LIST_EXPONENT * log2(rows)): 1,024 for 100,000 rows, 2^18 for a billion. */
const LIST_EXPONENT = 0.6;
/** A list whose centroid is the mean of fewer training rows follows them, and not what is to
 * come. */
const MIN_ROWS_PER_LIST = 32;
/** Training rows that a group of lists wants for its own directions and corners. */
const ROWS_PER_GROUP = 1_500;
const MAX_GROUPS = 256;
/** Longer levels share wider groups: what is left there differs less from place to place. */
const GROUPS_PER_OUTER_GROUP = 4;

/** The levels that embeddings of `dims` numbers can have: none above max(64, dims). */
export function levelsFor(dims: number): number[] {
  return ALL_LEVELS.filter((bits) => bits <= Math.max(64, dims));
}

/** How many rows of a collection to train on. */
export function trainingRowsFor(rows: number): number {
  return Math.min(rows, MAX_TRAINING_ROWS);
}

/**
 * The codec for a collection.
 * @param rows rows that the collection has, or is expected to have
 * @param trainingRows rows of the sample, at most `rows`
 * @param dims numbers in an embedding
 */
export function chooseCodec(rows: number, trainingRows: number, dims: number): CodecChoice {
  const levels = levelsFor(dims);
  if (trainingRows < MIN_TRAINED_ROWS) {
    return { method: 'rotation', levels, lists: 1, groups: 1, outerGroups: 1 };
  }
  const wanted = 2 ** Math.round(LIST_EXPONENT * Math.log2(rows));
  const lists = Math.min(wanted, powerOfTwoBelow(trainingRows / MIN_ROWS_PER_LIST));
  const groups = Math.min(
    MAX_GROUPS,
    lists,
    2 ** Math.max(0, Math.round(Math.log2(trainingRows / ROWS_PER_GROUP))),
  );
  const outerGroups = Math.max(1, groups / GROUPS_PER_OUTER_GROUP);
  return { method: 'trained', levels, lists, groups, outerGroups };
}

function powerOfTwoBelow(value: number): number {
  return 2 ** Math.floor(Math.log2(value));
}
