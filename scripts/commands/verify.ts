// corvid verify: every checksum and cross-reference of an index.
import { Command } from 'commander';
import { openIndex } from '../../src/index.js';
import { nounOf } from '../console/ledger.js';
import { bytes, plural } from '../console/numbers.js';
import { interruptSignal } from '../console/run.js';
import { bold, green } from '../console/style.js';

export function verifyCommand(): Command {
  return new Command('verify')
    .description('check every checksum and cross-reference of an index')
    .argument('<index>', 'an index that build-index made')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Ends with 0 for a sound index, and with 1 and all that is wrong for another. Nothing is changed.

Example:
  corvid verify photos.corvid`,
    )
    .action(run);
}

async function run(path: string, { json }: { json?: boolean }): Promise<void> {
  const { signal, release } = interruptSignal();
  const index = await openIndex(path);
  try {
    const report = await index.verify({ signal });
    const info = await index.info();
    const { images } = info;
    const lines =
      json === true
        ? [JSON.stringify({ ok: true, images, ...report })]
        : [
            `${green('✔', process.stdout)} ${bold(path, process.stdout)} is sound: ` +
              `${plural(images, nounOf(info))}, ${plural(report.files, 'file')}, ` +
              bytes(report.bytes),
            '  checked: the checksum of every block of every file, SQLite’s own check of the catalog,',
            '  and that every row has its item and every item its row',
          ];
    process.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    release();
    await index.close();
  }
}
