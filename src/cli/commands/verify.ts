// corvid verify: checks every checksum and cross-reference of an index.
import { Command } from 'commander';
import { openIndex, type RecallCard } from '../../index.js';
import { describeMissing, nounOf } from '../console/ledger.js';
import { bytes, plural } from '../console/numbers.js';
import { recallLines } from '../console/recall.js';
import { interruptSignal } from '../console/run.js';
import { bold, green } from '../console/style.js';

export function verifyCommand(): Command {
  return new Command('verify')
    .description('check every checksum and cross-reference of an index')
    .argument('<index>', 'an index made by build-index')
    .option('--recall', 'also measure the recall of each effort again')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
Exits with 0 if the index is sound, otherwise with 1 and the first fault of each segment. Nothing is
changed.

Examples:
  corvid verify photos.corvid
  corvid verify photos.corvid --recall`,
    )
    .action(run);
}

async function run(path: string, flags: { json?: boolean; recall?: boolean }): Promise<void> {
  const { json, recall } = flags;
  const { signal, release } = interruptSignal();
  const index = await openIndex(path);
  try {
    const report = await index.verify({ signal });
    const info = await index.info();
    const { images, missingLevels, missingVectors } = info;
    const missing = { missingLevels, missingVectors };
    const card = recall === true ? await index.measureRecall({ signal }) : undefined;
    const lines =
      json === true
        ? [JSON.stringify({ ok: true, images, ...missing, ...report, recallCard: card })]
        : [
            `${green('✔', process.stdout)} ${bold(path, process.stdout)} is sound: ` +
              `${plural(images, nounOf(info))}, ${plural(report.files, 'file')}, ` +
              bytes(report.bytes),
            '  checked: the checksum of every block of every file, the integrity check of the catalog,',
            '  and that rows and items correspond one to one',
            ...describeMissing(info).map((line) => `  missing: ${line}`),
            ...(card === undefined ? [] : cardLines(card)),
          ];
    process.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    release();
    await index.close();
  }
}

function cardLines(card: RecallCard | null): string[] {
  return card === null
    ? ['', '  recall: not measurable, the build stores queries for it only from 1,000 rows up']
    : ['', ...recallLines(card)];
}
