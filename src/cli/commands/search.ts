// corvid search: runs one query and prints its hits as a table, as JSON, or as paths.
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
  collectParts,
  fraction,
  imagePart,
  integer,
  itemPart,
  levelList,
  realNumber,
  usageError,
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
    .description('find images by text, by image, or by both')
    .argument('<index>', 'an index made by build-index')
    .argument('[text...]', 'what to look for; + adds, - subtracts: "a dog - people"')
    .optionsGroup('What to look for (repeatable):')
    .option(
      '-i, --image <file>',
      'an image to resemble; 0.5*file sets its weight',
      collectParts(imagePart),
    )
    .option(
      '--more <item>',
      'more like this item, by number or by key (key:2024 if the key looks like a number)',
      collectParts(itemPart(1)),
    )
    .option('--less <item>', 'less like this item', collectParts(itemPart(-1)))
    .optionsGroup('Which hits:')
    .option('-w, --where <sql>', 'only items that match an SQL condition')
    .option('--min-score <score>', 'omit hits with a lower score', realNumber)
    .option('-n, --limit <n>', 'number of hits', integer, 10)
    .option('--offset <n>', 'hits to skip before the first', integer)
    .optionsGroup('How to search:')
    .option('-e, --effort <0..1>', 'search effort (default: 0.5)', fraction)
    .option(
      '--target-recall <0..1>',
      'fraction of the true nearest neighbours to aim for',
      fraction,
    )
    .option('--exact', 'score every image')
    .option('--levels <bits>', 'code lengths to use, e.g. 64,512', levelList)
    .addOption(
      new Option('--scoring <kind>', 'hamming compares bits only').choices([
        'asymmetric',
        'hamming',
      ]),
    )
    .option('-m, --model <name>', 'encoder, for an index built from vectors')
    .option('--threads <n>', 'worker threads', integer)
    .optionsGroup('Output:')
    .addOption(new Option('--json', 'print the whole result as JSON').conflicts(['jsonl', 'paths']))
    .addOption(new Option('--jsonl', 'print one hit per line as JSON').conflicts(['json', 'paths']))
    .addOption(
      new Option('--paths', 'print only file paths, one per line').conflicts(['json', 'jsonl']),
    )
    .option('--sheet <file.html>', 'also write a contact sheet')
    .addHelpText(
      'after',
      `
Scores are cosines. A text and an image score far lower than two images do, so compare scores within
one query only. --where accepts the columns id, key, path, bytes, modified, width, height, taken,
latitude, longitude, caption, metadata and damaged.

Examples:
  corvid search photos.corvid "red apples"
  corvid search photos.corvid "a beach - people" --where "taken >= 2022 and path like '%lake%'"
  corvid search photos.corvid --image chair.jpg --image -0.5*table.jpg
  corvid search photos.corvid cat --paths | head -3`,
    )
    .action(run);
}

async function run(path: string, text: string[], flags: Flags): Promise<void> {
  const { image, more, less, model, json, jsonl, paths, sheet, threads, ...options } = flags;
  const parts = queryParts(text, [image, more, less]);
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

function queryParts(text: string[], others: (QueryPart[] | undefined)[]): QueryPart[] {
  const texts = text.length === 0 ? [] : parseQuery(text.join(' '));
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
