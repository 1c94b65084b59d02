#!/usr/bin/env node
// The `corvid` command. Each subcommand is a file in commands/.
import { Command } from 'commander';
import { buildIndexCommand } from './commands/build-index.js';
import { infoCommand } from './commands/info.js';
import { replCommand } from './commands/repl.js';
import { searchCommand } from './commands/search.js';
import { verifyCommand } from './commands/verify.js';
import { packageVersion } from './console/package.js';
import { runProgram } from './console/run.js';

const program = new Command('corvid')
  .description('Search images by text and by image: up to a billion on one device.')
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

Results go to stdout, progress and messages to stderr. NO_COLOR turns colours off, CORVID_DEBUG=1
prints stack traces. Exit codes: 0 ok, 1 error, 2 usage, 130 interrupted.`,
  );

await runProgram(program);
