// corvid repl: a line is a query.
import { Command } from 'commander';
import { openIndex } from '../../index.js';
import { fraction, wholeNumber } from '../console/arguments.js';
import { runRepl } from '../repl/loop.js';

interface Flags {
  limit: number;
  effort?: number;
  model?: string;
  threads?: number;
}

export function replCommand(): Command {
  return new Command('repl')
    .description('search an index line by line')
    .argument('<index>', 'an index that build-index made')
    .option('-n, --limit <n>', 'hits a page', wholeNumber, 10)
    .option('-e, --effort <0..1>', 'how hard to look (default: 0.5)', fraction)
    .option('-m, --model <name>', 'encoder, where the index was made from vectors')
    .option('--threads <n>', 'worker threads', wholeNumber)
    .addHelpText(
      'after',
      `
A line is a query; .help inside lists the commands. Ctrl-C cancels a query, Ctrl-D leaves. Lines may
be piped in. The history is kept in $XDG_STATE_HOME/corvid/history (CORVID_HISTORY names another).

Example:
  corvid repl photos.corvid`,
    )
    .action(async (path: string, { limit, effort, ...open }: Flags) => {
      const index = await openIndex(path, open);
      try {
        await runRepl(index, { limit, effort });
      } finally {
        await index.close();
      }
    });
}
