// corvid info: what is inside an index, and what it costs.
import { Command } from 'commander';
import { openIndex } from '../../index.js';
import { infoLines } from '../console/ledger.js';
import { recallLines } from '../console/recall.js';

export function infoCommand(): Command {
  return new Command('info')
    .description('print what is in an index, and what every structure of it costs')
    .argument('<index>', 'an index that build-index made')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Resident bytes want memory while searching; what is on disk besides is read for the hits alone.

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
