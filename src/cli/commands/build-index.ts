// corvid build-index: builds an index of images or vectors, or updates one.
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  type BuildEstimate,
  type BuildSummary,
  buildIndex,
  type CodecInfo,
  CorvidError,
} from '../../index.js';
import { collectTexts, integer, levelList, sizeInBytes } from '../console/arguments.js';
import { bytes, bytesEach, clock, count, plural } from '../console/numbers.js';
import { progressView } from '../console/progress.js';
import { interruptSignal } from '../console/run.js';
import { bold, dim, green, printable } from '../console/style.js';

interface Flags {
  out: string;
  model?: string;
  vectors?: 'auto' | 'int8' | 'none';
  levels?: number[];
  ignore?: string[];
  metadata?: string;
  remove?: string[];
  dryRun?: boolean;
  memory?: number;
  threads?: number;
  seed?: number;
  lists?: number;
  groups?: number;
  maxPixels?: number;
  maxFileSize?: number;
  json?: boolean;
  quiet?: boolean;
}

/** Skipped files that are listed on stderr; skipped.jsonl lists all. */
const LISTED_SKIPS = 10;

export function buildIndexCommand(): Command {
  return new Command('build-index')
    .description('build an index of images or vectors, or update one')
    .argument('[sources...]', 'image folders, or vector files: .npy .fbin .parquet .jsonl …')
    .requiredOption('-o, --out <folder>', 'folder of the index, e.g. photos.corvid')
    .optionsGroup('Images:')
    .option('-m, --model <name>', 'encoder: clip-nano (bundled), a folder, or a hub id')
    .option('--ignore <glob>', 'skip files that match (repeatable)', collectTexts)
    .option('--metadata <file>', 'captions and metadata, one JSON object per line')
    .option('--max-pixels <n>', 'skip images with more pixels', integer)
    .option('--max-file-size <size>', 'skip larger files, e.g. 100MB', sizeInBytes)
    .optionsGroup('Index:')
    .addOption(
      new Option('--vectors <choice>', 'store int8 vectors too, for nearly exact scores')
        .choices(['auto', 'int8', 'none'])
        .default('auto', 'auto: up to a million images'),
    )
    .option('--levels <bits>', 'code lengths (default: 64,128,256,512)', levelList)
    .option('--lists <n>', 'number of lists (default: chosen by collection size)', integer)
    .option('--groups <n>', 'number of list groups, which share directions', integer)
    .option('--seed <n>', 'random seed (default: 1)', integer)
    .optionsGroup('Run:')
    .option('--remove <path>', 'remove a file or folder from the index (repeatable)', collectTexts)
    .option('--dry-run', 'print what would be done and what it would need')
    .option(
      '--memory <size>',
      'for buffers and training (default: a quarter of main memory)',
      sizeInBytes,
    )
    .option('--threads <n>', 'worker threads (default: all cores)', integer)
    .option('--json', 'print a summary as JSON on stdout')
    .option('-q, --quiet', 'print only errors on stderr')
    .addHelpText(
      'after',
      `
Run it again to update the index: only new and changed files are embedded, and files that are gone
are removed. A build may be killed at any time: the index stays as it was, and the next run resumes.
Images that cannot be used are listed in <out>/skipped.jsonl with the reason.

Examples:
  corvid build-index ~/Photos --out photos.corvid
  corvid build-index ~/Photos --out photos.corvid --model clip-nano --ignore '**/screenshots/**'
  corvid build-index --remove ~/Photos/2019 --out photos.corvid
  corvid build-index embeddings.npy --out vectors.corvid --vectors none`,
    )
    .action(run);
}

async function run(sources: string[], flags: Flags): Promise<void> {
  if (sources.some((source) => source === '')) throw new InvalidArgumentError('an empty source');
  const { out, memory, maxFileSize, json, quiet, ...options } = flags;
  const view = progressView(quiet === true);
  const { signal, release } = interruptSignal();
  try {
    const summary = await buildIndex({
      ...options,
      sources,
      out,
      memoryBytes: memory,
      maxFileBytes: maxFileSize,
      signal,
      onProgress: (progress) => view.show(progress),
    });
    view.end();
    if (json === true) process.stdout.write(`${JSON.stringify(summary)}\n`);
    if (quiet !== true) report(summary, out);
  } catch (error) {
    view.end();
    if (!signal.aborted) throw error;
    throw new CorvidError('ERR_ABORTED', 'the build was interrupted', {
      hint: 'run the same command again to resume; finished work is kept',
      cause: error,
    });
  } finally {
    release();
  }
}

function report(summary: BuildSummary, out: string): void {
  const { rows, residentBytes, diskBytes, seconds, codec, skipped, skippedFiles } = summary;
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const soft = (text: string) => say(dim(`  ${text}`, process.stderr));
  if (summary.dryRun) {
    say(`would index: ${changesOf(summary)}`);
    if (summary.estimate !== null) soft(`needs at most about ${describeNeeds(summary.estimate)}`);
  } else {
    const noun = summary.kind === 'images' ? 'image' : 'vector';
    const each = (total: number) => (rows === 0 ? '' : ` (${bytesEach(total / rows, noun)})`);
    say(
      `${green('✔', process.stderr)} ${bold(plural(rows, noun), process.stderr)} → ${out}   ` +
        `${bytes(residentBytes)} resident${each(residentBytes)}, ` +
        `${bytes(diskBytes)} on disk${each(diskBytes)}`,
    );
    soft(`${changesOf(summary)} in ${clock(seconds)}`);
    if (codec !== null) soft(describeCodec(codec, summary.vectors));
  }
  if (skipped > 0) {
    say(`  ${plural(skipped, 'file')} skipped${summary.dryRun ? '' : `: ${out}/skipped.jsonl`}`);
  }
  for (const file of skippedFiles.slice(0, LISTED_SKIPS)) {
    soft(`  ${printable(file.path)}: ${file.reason}`);
  }
  if (skippedFiles.length > LISTED_SKIPS) soft('  …');
}

function changesOf({ added, changed, touched, removed, unchanged }: BuildSummary): string {
  const changes: [number, string][] = [
    [added, 'new'],
    [changed, 'changed'],
    [touched, 'touched'],
    [removed, 'removed'],
    [unchanged, 'unchanged'],
  ];
  const nonZero = changes.filter(([number]) => number > 0);
  return nonZero.map(([number, what]) => `${count(number)} ${what}`).join(', ') || 'nothing new';
}

function describeNeeds({ memoryBytes, diskBytes, residentBytes }: BuildEstimate): string {
  return (
    `${bytes(memoryBytes)} of memory and ${bytes(diskBytes)} of disk; ` +
    `searching then needs ${bytes(residentBytes)} of resident memory`
  );
}

/** The codec that was chosen for a collection of this size. */
function describeCodec(codec: CodecInfo, vectors: boolean): string {
  const kind =
    codec.method === 'rotation'
      ? 'random rotation (too few images to train)'
      : `${plural(codec.lists, 'list')} in ${plural(codec.groups, 'group')}`;
  const kept = vectors ? 'int8 vectors stored' : 'no vectors stored';
  return `codec: ${kind}, ${codec.levels.join('/')} bits, ${kept}`;
}
