// The codec of a build: what suits the collection's size, but for what the caller asks.
import {
  type CodecChoice,
  chooseCodec,
  FOUND_ROWS_PER_LIST,
  MIN_ROWS_PER_LIST,
  trainingRowsFor,
} from '../../codec/choose.js';
import { CorvidError } from '../../errors.js';
import type { Settings } from '../options.js';

/** Share of the memory allowed that the sample may take: training needs as much again, twice. */
const SAMPLE_SHARE = 1 / 4;
/** The same for the centers of lists. */
const CENTER_SHARE = 1 / 4;
/** And, before, for the rows that lists are found among, and their centers. */
const LIST_SHARE = 0.85;

export interface BuildChoice extends CodecChoice {
  trainingRows: number;
  /** Rows to find the lists among, where that needs more than `trainingRows`; else 0. */
  listRows: number;
}

type Wishes = Pick<Settings, 'levels' | 'lists' | 'groups' | 'memoryBytes'>;

/** @param rows rows of the collection. Throws ERR_USAGE for wishes that cannot be met. */
export function chooseForBuild(rows: number, dims: number, wishes: Wishes): BuildChoice {
  const { levels, lists, groups, memoryBytes } = wishes;
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
      throw new CorvidError('ERR_USAGE', 'a code cannot be longer than its vector', {
        path: 'levels',
        expected: `at most ${longest} bits`,
        actual: levels.join(', '),
      });
    }
    choice.levels = [...levels];
  }
  if (lists !== undefined && lists > most) {
    throw new CorvidError('ERR_USAGE', 'a list needs at least one row to be trained on', {
      path: 'lists',
      expected: `at most ${most}`,
      actual: String(lists),
      ...(most < rows ? { hint: 'allow more memory, or ask for fewer lists' } : {}),
    });
  }
  if (lists !== undefined || groups !== undefined) {
    choice.method = 'trained';
    choice.lists = lists ?? choice.lists;
    choice.groups = Math.min(groups ?? choice.groups, choice.lists);
    choice.outerGroups = Math.min(choice.outerGroups, choice.groups);
  }
  if (choice.lists * MIN_ROWS_PER_LIST > trainingRows && rows > trainingRows) {
    const left = memoryBytes * LIST_SHARE - listFindingBytes(0, choice.lists, dims);
    const rowsAllowed = Math.max(trainingRows, Math.floor(left / listRowBytes(dims)));
    choice.listRows = Math.min(rows, rowsAllowed, choice.lists * FOUND_ROWS_PER_LIST);
  }
  return choice;
}

/** What finding lists takes, in bytes: a row of the sample as bytes, its projection to 128 halves,
 * and its place in the list and in the order by lists; a list's center as floats, projected and not. */
export function listFindingBytes(listRows: number, lists: number, dims: number): number {
  return listRows * listRowBytes(dims) + lists * dims * 6;
}

const listRowBytes = (dims: number) => dims + 4 + 256 + 16;

/** What the centers of lists take while a codec is trained with them: as floats twice, while they are
 * grouped, and as halves. */
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
