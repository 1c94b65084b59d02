// The codec of a build: what suits the collection's size, except where the caller has asked for more.
import {
  type CodecChoice,
  chooseCodec,
  FOUND_ROWS_PER_LIST,
  MIN_ROWS_PER_LIST,
  trainingRowsFor,
} from '../../codec/choose.js';
import { usageError } from '../../option-checks.js';
import type { BuildSettings } from '../settings/settings.js';

/** Share of the memory limit for the training sample: training needs twice as much beside it. */
const SAMPLE_SHARE = 1 / 4;
/** Share for the centers of lists. */
const CENTER_SHARE = 1 / 4;
/** Share for the rows that lists are found among and their centers, before training. */
const LIST_SHARE = 0.85;

export interface BuildChoice extends CodecChoice {
  trainingRows: number;
  /** Rows to find the lists among, where that needs more than `trainingRows`; else 0. */
  listRows: number;
}

/** What a caller may ask of the codec. */
type CodecRequest = Pick<BuildSettings, 'levels' | 'lists' | 'groups' | 'memoryBytes'>;

/** @param rows rows of the collection. Throws ERR_USAGE for a request that cannot be met. */
export function chooseForBuild(rows: number, dims: number, request: CodecRequest): BuildChoice {
  const { levels, lists, groups, memoryBytes } = request;
  const affordable = Math.floor((memoryBytes * SAMPLE_SHARE) / (dims * 4));
  const trainingRows = Math.max(1, Math.min(trainingRowsFor(rows), affordable));
  const findable = mostLists(memoryBytes, dims);
  const most = Math.min(rows, Math.max(trainingRows, findable));
  const listRows = Math.min(rows, Math.max(trainingRows, findable * MIN_ROWS_PER_LIST));
  const codec = chooseCodec(rows, trainingRows, dims, listRows);
  const choice: BuildChoice = { ...codec, trainingRows, listRows: 0 };
  const longest = Math.max(64, dims);
  if (levels !== undefined) {
    if (levels.some((bits) => bits > longest)) {
      throw usageError(
        'levels',
        'a code cannot be longer than its vector',
        `at most ${longest} bits`,
        levels.join(', '),
      );
    }
    choice.levels = [...levels];
  }
  if (lists !== undefined && lists > most) {
    const what = 'a list needs at least one row to be trained on';
    const hint = most < rows ? 'allow more memory, or ask for fewer lists' : undefined;
    throw usageError('lists', what, `at most ${most}`, String(lists), hint);
  }
  if (lists !== undefined || groups !== undefined) {
    choice.method = 'trained';
    choice.lists = lists ?? choice.lists;
    choice.groups = Math.min(groups ?? choice.groups, choice.lists);
    choice.outerGroups = Math.min(choice.outerGroups, choice.groups);
  }
  if (choice.lists * MIN_ROWS_PER_LIST > trainingRows && rows > trainingRows) {
    const bytesForRows = memoryBytes * LIST_SHARE - listFindingBytes(0, choice.lists, dims);
    const rowsAllowed = Math.max(trainingRows, Math.floor(bytesForRows / listRowBytes(dims)));
    choice.listRows = Math.min(rows, rowsAllowed, choice.lists * FOUND_ROWS_PER_LIST);
  }
  return choice;
}

/** Bytes that finding lists takes: for a row its bytes, its projection to 128 float16, its list and
 * its position in the order by lists; for a list its center, as floats and projected. */
export function listFindingBytes(listRows: number, lists: number, dims: number): number {
  return listRows * listRowBytes(dims) + lists * dims * 6;
}

const listRowBytes = (dims: number) => dims + 4 + 256 + 16;

/** Bytes that the centers of lists take while a codec is trained: as floats, twice while they are
 * grouped, and as float16. */
export function centerBytes(lists: number, dims: number): number {
  return lists * dims * 10;
}

/** The most lists that can be found and trained with within `memoryBytes`. */
function mostLists(memoryBytes: number, dims: number): number {
  const findingBytes = listFindingBytes(MIN_ROWS_PER_LIST, 1, dims);
  return Math.floor(
    Math.min(
      (memoryBytes * LIST_SHARE) / findingBytes,
      (memoryBytes * CENTER_SHARE) / centerBytes(1, dims),
    ),
  );
}
