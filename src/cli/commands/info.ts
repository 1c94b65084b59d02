// corvid info: prints what is in an index, and how many bytes each structure takes.
import { Command } from 'commander';
import { openIndex } from '../../index.js';
import { infoLines } from '../console/ledger.js';
import { recallLines } from '../console/recall.js';

export function infoCommand(): Command {
  return new Command('info')
    .description('print what is in an index, and the size of each structure')
    .argument('<index>', 'an index made by build-index')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
Resident bytes are read while searching and should fit in memory; the rest is read only for hits.

Examples:
  corvid info photos.corvid
  corvid info photos.corvid --json | jq .ledger`,
    )
    .action(async (path: string, { json }: { json?: boolean }) => {
      const index = await openIndex(path);
      try {
        const info = await index.info();
        const card = info.recallCard === null ? [] : ['', ...recallLines(info.recallCard)];
        const lines = json === true ? [JSON.stringify(info)] : [...infoLines(info), ...card];
        process.stdout.write(`${lines.join('\n')}\n`);
      } finally {
        await index.close();
      }
    });
}
