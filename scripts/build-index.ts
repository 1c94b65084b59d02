#!/usr/bin/env node
// corvid build-index as a script of its own.
import { buildIndexCommand } from './commands/build-index.js';
import { runProgram } from './console/run.js';

await runProgram(buildIndexCommand());
