// corvid search: one query, and its hits as a table, JSON, or paths.
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import {
  openIndex,
  parseQuery,
  type QueryPart,
  type SearchOptions,
  type SearchResult,
} from '../../index.js';
import {
  fraction,
  gather,
  imagePart,
  itemPart,
  levelList,
  realNumber,
  usageError,
  wholeNumber,
} from '../console/arguments.js';
import { footer, hitLines } from '../console/hits.js';
import { describeQuery, pictureOf } from '../console/query.js';
import { interruptSignal } from '../console/run.js';
import { writeSheet } from '../console/sheet.js';
import { dim } from '../console/style.js';

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
    .optionsGroup('What to look for (every one may be repeated):')
    .option('-i, --image <file>', 'a picture to look like; 0.5*file weighs it', gather(imagePart))
    .option(
      '--more <item>',
      'more like this item: its number or its key (key:2024 if that looks like a number)',
      gather(itemPart(1)),
    )
    .option('--less <item>', 'less like this item', gather(itemPart(-1)))
    .optionsGroup('Which hits:')
    .option('-w, --where <sql>', 'only items that match, by an SQL condition')
    .option('--min-score <score>', 'leave out hits with a lower score', realNumber)
    .option('-n, --limit <n>', 'hits to print', wholeNumber, 10)
    .option('--offset <n>', 'hits to leave out at the front', wholeNumber)
    .optionsGroup('How to search:')
    .option('-e, --effort <0..1>', 'how hard to look (default: 0.5)', fraction)
    .option('--target-recall <0..1>', 'share of the true nearest to aim at', fraction)
    .option('--exact', 'score every image')
    .option('--levels <bits>', 'code lengths to use, e.g. 64,512', levelList)
    .addOption(
      new Option('--scoring <kind>', 'hamming compares bits alone').choices([
        'asymmetric',
        'hamming',
      ]),
    )
    .option('-m, --model <name>', 'encoder, where the index was made from vectors')
    .option('--threads <n>', 'worker threads', wholeNumber)
    .optionsGroup('Output:')
    .addOption(new Option('--json', 'the whole result as JSON').conflicts(['jsonl', 'paths']))
    .addOption(new Option('--jsonl', 'one hit a line as JSON').conflicts(['json', 'paths']))
    .addOption(new Option('--paths', 'file paths alone, one a line').conflicts(['json', 'jsonl']))
    .option('--sheet <file.html>', 'also write a contact sheet')
    .addHelpText(
      'after',
      `
Scores are cosines; those of words and pictures lie far lower than those of pictures among
themselves, and only their order means much. --where knows the columns id, key, path, bytes,
modified, width, height, taken, latitude, longitude, caption, metadata and damaged.

Examples:
  corvid search photos.corvid "red apples"
  corvid search photos.corvid "a beach - people" --where "taken >= 2022 and path like '%lake%'"
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
      const section = { title: describeQuery(parts), result, picture: pictureOf(parts) };
      await writeSheet(sheet, [section]);
      process.stderr.write(`contact sheet: ${resolve(sheet)}\n`);
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
  throw usageError('nothing to look for', 'give a text, --image, --more or --less');
}

function pathsOf({ hits }: SearchResult): string[] {
  return hits.map(({ path, key, id }) => (path === null ? (key ?? String(id)) : resolve(path)));
}

function print(lines: string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}
