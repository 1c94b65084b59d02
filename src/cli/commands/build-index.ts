// corvid build-index: makes an index of images or vectors, or brings one up to date.
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  type BuildEstimate,
  type BuildSummary,
  buildIndex,
  type CodecInfo,
  CorvidError,
} from '../../index.js';
import { gatherText, levelList, sizeInBytes, wholeNumber } from '../console/arguments.js';
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

/** Skipped files that are told on stderr; all are in skipped.jsonl. */
const LISTED_SKIPS = 10;

export function buildIndexCommand(): Command {
  return new Command('build-index')
    .description('make an index of images or vectors, or bring it up to date')
    .argument('[sources...]', 'folders of images; or vectors: .npy .fbin .parquet .jsonl …')
    .requiredOption('-o, --out <folder>', 'the index, e.g. photos.corvid')
    .optionsGroup('Images:')
    .option('-m, --model <name>', 'encoder: clip-nano (bundled), a folder, or a hub id')
    .option('--ignore <glob>', 'leave out files that match (repeatable)', gatherText)
    .option('--metadata <file>', 'captions and metadata, one JSON object a line')
    .option('--max-pixels <n>', 'skip images with more pixels', wholeNumber)
    .option('--max-file-size <size>', 'skip larger files, e.g. 100MB', sizeInBytes)
    .optionsGroup('Index:')
    .addOption(
      new Option('--vectors <choice>', 'int8 vectors beside the codes, for nearly exact scores')
        .choices(['auto', 'int8', 'none'])
        .default('auto', 'auto: up to a million images'),
    )
    .option('--levels <bits>', 'code lengths (default: 64,128,256,512)', levelList)
    .option('--lists <n>', 'lists of the codec (default: by the number of images)', wholeNumber)
    .option('--groups <n>', 'groups of lists that share directions', wholeNumber)
    .option('--seed <n>', 'of everything random (default: 1)', wholeNumber)
    .optionsGroup('Run:')
    .option('--remove <path>', 'take what lies there out of the index (repeatable)', gatherText)
    .option('--dry-run', 'say what would be done and what it would take, and do nothing')
    .option(
      '--memory <size>',
      "for buffers and training (default: a quarter of the machine's)",
      sizeInBytes,
    )
    .option('--threads <n>', 'worker threads (default: all cores)', wholeNumber)
    .option('--json', 'print a summary as JSON on stdout')
    .option('-q, --quiet', 'say nothing on stderr but errors')
    .addHelpText(
      'after',
      `
Run it again: only new and changed files are embedded, vanished ones leave the index. Kill it at any
moment: the index stays as it was, and the next run goes on. Images that cannot be used are listed,
with the reason, in <out>/skipped.jsonl.

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
  const { out, memory, maxFileSize, json, quiet, ...same } = flags;
  const view = progressView(quiet === true);
  const { signal, release } = interruptSignal();
  try {
    const summary = await buildIndex({
      ...same,
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
      hint: 'run the same command again to go on; what was done so far is kept',
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
  const said = changes.filter(([number]) => number > 0);
  return said.map(([number, what]) => `${count(number)} ${what}`).join(', ') || 'nothing new';
}

function describeNeeds({ memoryBytes, diskBytes, residentBytes }: BuildEstimate): string {
  return (
    `${bytes(memoryBytes)} of memory and ${bytes(diskBytes)} of disk; ` +
    `searching then wants ${bytes(residentBytes)} resident`
  );
}

/** The choice that was made for a collection of this size. */
function describeCodec(codec: CodecInfo, vectors: boolean): string {
  const kind =
    codec.method === 'rotation'
      ? 'random rotation (too few images to train)'
      : `${plural(codec.lists, 'list')} in ${plural(codec.groups, 'group')}`;
  const kept = vectors ? 'int8 vectors kept' : 'no vectors kept';
  return `codec: ${kind}, ${codec.levels.join('/')} bits, ${kept}`;
}
