// corvid repl: a line is a query.
import { Command } from 'commander';
import { openIndex } from '../src/index.js';
import { fraction, wholeNumber } from './console/arguments.js';
import { runRepl } from './repl/loop.js';

export function replCommand(): Command {
  return new Command('repl')
    .description('search an index line by line')
    .argument('<index>', 'an index that build-index made')
    .option('-n, --limit <n>', 'hits to print', wholeNumber, 10)
    .option('-e, --effort <0..1>', 'how hard to look', fraction)
    .option('-m, --model <name>', 'encoder, where the index was made from vectors')
    .option('--threads <n>', 'worker threads', wholeNumber)
    .addHelpText('after', '\nType .help inside for the commands.')
    .action(
      async (
        path: string,
        { limit, effort, ...open }: ReplFlags & { model?: string; threads?: number },
      ) => {
        const index = await openIndex(path, open);
        try {
          await runRepl(index, { limit, effort });
        } finally {
          await index.close();
        }
      },
    );
}

interface ReplFlags {
  limit: number;
  effort?: number;
}
