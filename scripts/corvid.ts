#!/usr/bin/env node
// The one command. Every subcommand is a file beside this one.
import { Command } from 'commander';
import { buildIndexCommand } from './build-index.js';
import { packageVersion } from './console/package.js';
import { runProgram } from './console/run.js';
import { infoCommand } from './info.js';
import { replCommand } from './repl.js';
import { searchCommand } from './search.js';
import { verifyCommand } from './verify.js';

const program = new Command('corvid')
  .description('Searches a billion images on one device: eight bytes of memory for each.')
  .version(packageVersion())
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

Data go to stdout, progress and messages to stderr. Exit codes: 0 ok, 1 error, 2 usage,
130 interrupted (a build goes on where it was when run again). CORVID_DEBUG=1 shows stack traces.`,
  );

await runProgram(program);
