// corvid repl: an interactive search, one query per line.
import { Command } from 'commander';
import { openIndex } from '../../index.js';
import { fraction, integer } from '../console/arguments.js';
import { runRepl } from '../repl/loop.js';

interface Flags {
  limit: number;
  effort?: number;
  model?: string;
  threads?: number;
}

export function replCommand(): Command {
  return new Command('repl')
    .description('search an index interactively')
    .argument('<index>', 'an index made by build-index')
    .option('-n, --limit <n>', 'hits per page', integer, 10)
    .option('-e, --effort <0..1>', 'search effort (default: 0.5)', fraction)
    .option('-m, --model <name>', 'encoder, for an index built from vectors')
    .option('--threads <n>', 'worker threads', integer)
    .addHelpText(
      'after',
      `
Each line is a query; .help lists the commands. Ctrl-C cancels a query, Ctrl-D exits. Lines may be
piped in. The history is $XDG_STATE_HOME/corvid/history, or the file named by CORVID_HISTORY.

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
