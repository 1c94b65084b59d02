#!/usr/bin/env node
// corvid build-index as a script of its own.
import { buildIndexCommand } from '../src/cli/commands/build-index.js';
import { runProgram } from '../src/cli/console/run.js';

await runProgram(buildIndexCommand());
