#!/usr/bin/env node
// Runs `corvid build-index`.
import { buildIndexCommand } from '../src/cli/commands/build-index.js';
import { runProgram } from '../src/cli/console/run.js';

await runProgram(buildIndexCommand());
