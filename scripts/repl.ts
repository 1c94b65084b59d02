#!/usr/bin/env node
// Runs `corvid repl`.
import { replCommand } from '../src/cli/commands/repl.js';
import { runProgram } from '../src/cli/console/run.js';

await runProgram(replCommand());
