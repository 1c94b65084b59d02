#!/usr/bin/env node
// The one command. Its subcommands are the files of commands/.
import { Command } from 'commander';
import { buildIndexCommand } from './commands/build-index.js';
import { infoCommand } from './commands/info.js';
import { replCommand } from './commands/repl.js';
import { searchCommand } from './commands/search.js';
import { verifyCommand } from './commands/verify.js';
import { packageVersion } from './console/package.js';
import { runProgram } from './console/run.js';

const program = new Command('corvid')
  .description('Searches images by words and by pictures: a billion of them on one device.')
  .version(packageVersion(), '-V, --version', 'print the version')
  .helpCommand(false)
  .addCommand(buildIndexCommand())
  .addCommand(searchCommand())
  .addCommand(replCommand())
  .addCommand(infoCommand())
  .addCommand(verifyCommand())
  .addHelpText(
    'after',
    `
Examples:
  corvid build-index ~/Photos --out photos.corvid
  corvid search photos.corvid "a dog on a beach - people"
  corvid repl photos.corvid

Data go to stdout, progress and messages to stderr. NO_COLOR takes the colours away,
CORVID_DEBUG=1 shows stack traces. Exit codes: 0 ok, 1 error, 2 usage, 130 interrupted.`,
  );

await runProgram(program);
