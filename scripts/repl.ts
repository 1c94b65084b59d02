#!/usr/bin/env node
// corvid repl as a script of its own.
import { replCommand } from './commands/repl.js';
import { runProgram } from './console/run.js';

await runProgram(replCommand());
