// The codec of a build: what suits the collection's size, but for what the caller asks.
import { type CodecChoice, chooseCodec, trainingRowsFor } from '../codec/choose.js';
import { CorvidError } from '../errors.js';
import type { Settings } from './options.js';

/** Share of the memory allowed that the sample may take: training needs as much again, twice. */
const SAMPLE_SHARE = 1 / 4;

export interface BuildChoice extends CodecChoice {
  trainingRows: number;
}

type Wishes = Pick<Settings, 'levels' | 'lists' | 'groups' | 'memoryBytes'>;

/** @param rows rows of the collection. Throws ERR_USAGE for wishes that cannot be met. */
export function chooseForBuild(rows: number, dims: number, wishes: Wishes): BuildChoice {
  const { levels, lists, groups, memoryBytes } = wishes;
  const affordable = Math.floor((memoryBytes * SAMPLE_SHARE) / (dims * 4));
  const trainingRows = Math.max(1, Math.min(trainingRowsFor(rows), affordable));
  const choice = { ...chooseCodec(rows, trainingRows, dims), trainingRows };
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
  if ((lists ?? 1) > trainingRows) {
    throw new CorvidError('ERR_USAGE', 'a list needs at least one row to be trained on', {
      path: 'lists',
      expected: `at most ${trainingRows}`,
      actual: `${lists}`,
    });
  }
  if (lists !== undefined || groups !== undefined) {
    choice.method = 'trained';
    choice.lists = lists ?? choice.lists;
    choice.groups = Math.min(groups ?? choice.groups, choice.lists);
    choice.outerGroups = Math.min(choice.outerGroups, choice.groups);
  }
  return choice;
}
