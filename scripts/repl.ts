#!/usr/bin/env node
// corvid repl as a script of its own.
import { replCommand } from '../src/cli/commands/repl.js';
import { runProgram } from '../src/cli/console/run.js';

await runProgram(replCommand());
