// corvid build-index: makes an index of images or vectors, or brings one up to date.
import { Command, InvalidArgumentError, Option } from 'commander';
import { type BuildSummary, buildIndex } from '../src/index.js';
import { levelList, sizeInBytes, wholeNumber } from './console/arguments.js';
import { bytes, bytesPerImage, clock, count, plural } from './console/numbers.js';
import { progressView } from './console/progress.js';
import { interruptSignal } from './console/run.js';
import { bold, dim, green } from './console/style.js';

interface Flags {
  out: string;
  model?: string;
  vectors?: 'auto' | 'int8' | 'none';
  levels?: number[];
  ignore?: string[];
  metadata?: string;
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

export function buildIndexCommand(): Command {
  return new Command('build-index')
    .description('make an index of images or vectors, or bring it up to date')
    .argument('<sources...>', 'folders of images, .npy files, folders of embeddings, …')
    .requiredOption('-o, --out <folder>', 'the index, e.g. photos.corvid')
    .option('-m, --model <name>', 'encoder: clip-nano (bundled), a folder, or a hub id')
    .addOption(
      new Option('--vectors <choice>', 'keep int8 vectors for nearly exact scores')
        .choices(['auto', 'int8', 'none'])
        .default('auto'),
    )
    .option('--levels <bits>', 'code lengths, e.g. 64,128,256,512', levelList)
    .option('--ignore <glob...>', 'leave out files that match (repeatable)')
    .option('--metadata <file>', 'captions and metadata, one JSON object a line')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--memory <size>', 'memory for buffers and training, e.g. 4GB', sizeInBytes)
    .option('--threads <n>', 'default: all cores', wholeNumber)
    .option('--seed <n>', 'of everything random', wholeNumber)
    .option('--lists <n>', 'lists of the codec; default: by the number of images', wholeNumber)
    .option('--groups <n>', 'groups of lists that share directions', wholeNumber)
    .option('--max-pixels <n>', 'skip images with more pixels', wholeNumber)
    .option('--max-file-size <size>', 'skip larger files, e.g. 100MB', sizeInBytes)
    .option('--json', 'print a summary as JSON on stdout')
    .option('-q, --quiet', 'no progress')
    .addHelpText(
      'after',
      `
Run it again: only new and changed files are embedded, vanished ones leave the index. Kill it at any
moment: the index stays as it was, and the next run goes on. Images that cannot be used are listed,
with the reason, in <out>/skipped.jsonl.

Examples:
  corvid build-index ~/Photos --out photos.corvid
  corvid build-index ~/Photos --out photos.corvid --model clip-nano --ignore '**/screenshots/**'
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
    if (signal.aborted) {
      process.stderr.write('interrupted: run the same command again to go on where it was\n');
    }
    throw error;
  } finally {
    release();
  }
}

function report(summary: BuildSummary, out: string): void {
  const { rows, added, changed, touched, removed, unchanged, skipped, seconds } = summary;
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const noun = summary.kind === 'images' ? 'image' : 'vector';
  const changes = [
    [added, 'new'],
    [changed, 'changed'],
    [touched, 'touched'],
    [removed, 'removed'],
    [unchanged, 'unchanged'],
  ]
    .filter(([number]) => Number(number) > 0)
    .map(([number, what]) => `${count(Number(number))} ${what}`)
    .join(', ');
  if (summary.dryRun) {
    say(`would index: ${changes || 'nothing new'}${skipped > 0 ? `, ${skipped} skipped` : ''}`);
    return;
  }
  const perImage =
    rows === 0
      ? ''
      : `   ${bytesPerImage(summary.residentBytes / rows)} resident, ` +
        `${bytesPerImage(summary.diskBytes / rows)} on disk`;
  say(
    `${green('✔', process.stderr)} ${bold(plural(rows, noun), process.stderr)} → ${out}${perImage}`,
  );
  say(dim(`  ${changes || 'nothing changed'} in ${clock(seconds)}`, process.stderr));
  if (summary.codec !== null) say(dim(`  codec: ${describeCodec(summary)}`, process.stderr));
  if (skipped > 0) say(`  ${plural(skipped, 'file')} skipped: ${out}/skipped.jsonl`);
  for (const file of summary.skippedFiles.slice(0, 10)) {
    say(dim(`    ${file.path}: ${file.reason}`, process.stderr));
  }
}

/** The choice that was made for a collection of this size. */
function describeCodec({ codec, vectors, diskBytes }: BuildSummary): string {
  if (codec === null) return 'none';
  const kind =
    codec.method === 'rotation'
      ? 'random rotation (too few images to train)'
      : `${count(codec.lists)} lists, ${plural(codec.groups, 'group')}`;
  const kept = vectors ? 'int8 vectors kept' : 'no vectors kept';
  return `${kind}, ${codec.levels.join('/')} bits, ${kept}, ${bytes(diskBytes)} on disk`;
}
