// corvid search: one query, and its hits as a table, JSON, or paths.

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import {
  CorvidError,
  openIndex,
  parseQuery,
  type QueryPart,
  type SearchOptions,
  type SearchResult,
} from '../src/index.js';
import {
  fraction,
  gather,
  imagePart,
  itemPart,
  levelList,
  realNumber,
  wholeNumber,
} from './console/arguments.js';
import { footer, hitLines } from './console/hits.js';
import { describeQuery } from './console/query.js';
import { interruptSignal } from './console/run.js';
import { contactSheet } from './console/sheet.js';
import { dim } from './console/style.js';

interface Flags extends Omit<SearchOptions, 'signal'> {
  image?: QueryPart[];
  more?: QueryPart[];
  less?: QueryPart[];
  model?: string;
  json?: boolean;
  jsonl?: boolean;
  paths?: boolean;
  sheet?: string;
  threads?: number;
}

export function searchCommand(): Command {
  return new Command('search')
    .description('find images by words, by pictures, or by both')
    .argument('<index>', 'an index that build-index made')
    .argument('[text...]', 'what to look for; + and - add and take away: "a dog - people"')
    .option('-i, --image <file>', 'a picture to look like; 0.5*file weighs it', gather(imagePart))
    .option('--more <item>', 'more like this item (number or key)', gather(itemPart(1)))
    .option('--less <item>', 'less like this item', gather(itemPart(-1)))
    .option(
      '-w, --where <sql>',
      'only items that match, e.g. "taken >= 2022 and path like \'%lake%\'"',
    )
    .option('--min-score <score>', 'leave out hits with a lower score', realNumber)
    .option('-n, --limit <n>', 'hits to print', wholeNumber, 10)
    .option('--offset <n>', 'hits to leave out at the front', wholeNumber)
    .option('--levels <bits>', 'code lengths to use, e.g. 64,512', levelList)
    .option('-e, --effort <0..1>', 'how hard to look', fraction)
    .option('--target-recall <0..1>', 'share of the true nearest to aim at', fraction)
    .option('--exact', 'score every image')
    .addOption(new Option('--scoring <kind>').choices(['asymmetric', 'hamming']))
    .option('-m, --model <name>', 'encoder, where the index was made from vectors')
    .option('--threads <n>', 'worker threads', wholeNumber)
    .addOption(new Option('--json', 'the whole result as JSON').conflicts(['jsonl', 'paths']))
    .addOption(new Option('--jsonl', 'one hit a line as JSON').conflicts(['json', 'paths']))
    .addOption(new Option('--paths', 'file paths alone, one a line').conflicts(['json', 'jsonl']))
    .option('--sheet <file.html>', 'also write a contact sheet')
    .addHelpText(
      'after',
      `
Scores are cosines; those of words and pictures lie far lower than those of pictures among
themselves, and only their order means much.

Examples:
  corvid search photos.corvid "red apples"
  corvid search photos.corvid "a beach - people" --where "taken >= 2022" --limit 20
  corvid search photos.corvid --image chair.jpg --image -0.5*table.jpg
  corvid search photos.corvid cat --paths | head -3`,
    )
    .action(run);
}

async function run(path: string, words: string[], flags: Flags): Promise<void> {
  const { image, more, less, model, json, jsonl, paths, sheet, threads, ...options } = flags;
  const parts = queryParts(words, [image, more, less]);
  const { signal, release } = interruptSignal();
  const index = await openIndex(path, { model, threads });
  try {
    const result = await index.search(parts, { ...options, signal });
    if (json === true) print([JSON.stringify(result)]);
    else if (jsonl === true) print(result.hits.map((hit) => JSON.stringify(hit)));
    else if (paths === true) print(pathsOf(result));
    else {
      print(hitLines(result.hits, { firstRank: null }));
      process.stderr.write(`${dim(footer(result), process.stderr)}\n`);
    }
    if (sheet !== undefined) {
      const page = await contactSheet([{ title: describeQuery(parts), result }]);
      await writeFile(sheet, page);
      process.stderr.write(`contact sheet: ${sheet}\n`);
    }
  } finally {
    release();
    await index.close();
  }
}

function queryParts(words: string[], others: (QueryPart[] | undefined)[]): QueryPart[] {
  const texts = words.length === 0 ? [] : parseQuery(words.join(' '));
  const parts = [...texts, ...others.flatMap((list) => list ?? [])];
  if (parts.length > 0) return parts;
  throw new CorvidError('ERR_USAGE', 'nothing to look for', {
    hint: 'give a text, --image, --more or --less',
  });
}

function pathsOf({ hits }: SearchResult): string[] {
  return hits.map(({ path, key, id }) => (path === null ? (key ?? String(id)) : resolve(path)));
}

function print(lines: string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}
