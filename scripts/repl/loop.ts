// The REPL's terminal side: reading lines, history, Tab, Ctrl-C and Ctrl-D.
//
// Lines are answered in order, one at a time, also when they are piped in faster than that. Ctrl-C
// cancels the query that runs, else clears the line; Ctrl-D or `.exit` leaves.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { CorvidError, type CorvidIndex } from '../../src/index.js';
import { headline } from '../console/ledger.js';
import { reportError } from '../console/run.js';
import { bold, isTerminal } from '../console/style.js';
import { completions } from './complete.js';
import { Session, type SessionOptions } from './session.js';

const HISTORY_LINES = 1000;

export async function runRepl(index: CorvidIndex, options: SessionOptions): Promise<void> {
  const interactive = isTerminal(process.stdin as unknown as NodeJS.WritableStream);
  const session = new Session(index, options);
  const history = interactive ? readHistory() : [];
  const reader = createInterface({
    input: process.stdin,
    output: interactive ? process.stdout : undefined,
    terminal: interactive,
    prompt: '> ',
    history,
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
    completer: (line: string) => completions(line, session.commands.keys()),
  });
  let running: AbortController | undefined;
  reader.on('SIGINT', () => {
    if (running !== undefined) running.abort(new Error('interrupted'));
    else {
      // Readline's own way to drop what was typed: to the end, then cut backwards.
      reader.write(null, { ctrl: true, name: 'e' });
      reader.write(null, { ctrl: true, name: 'u' });
      process.stdout.write('\n(Ctrl-D or .exit leaves)\n');
      reader.prompt();
    }
  });
  reader.on('history', (lines: string[]) => {
    if (interactive) writeHistory(lines);
  });

  if (interactive) {
    process.stdout.write(`${bold('corvid', process.stdout)} ${headline(await index.info())}\n`);
    reader.prompt();
  }
  for await (const line of reader) {
    running = new AbortController();
    const failed = await answer(session, line, running.signal);
    running = undefined;
    // A script that pipes lines in wants to know that one of them failed.
    if (failed && !interactive) process.exitCode = 1;
    if (session.done) break;
    if (interactive) reader.prompt();
  }
  reader.close();
  if (interactive && !session.done) process.stdout.write('\n');
}

async function answer(session: Session, line: string, signal: AbortSignal): Promise<boolean> {
  try {
    const lines = await session.line(line, signal);
    if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
    return false;
  } catch (error) {
    if (error instanceof CorvidError && error.code === 'ERR_ABORTED') {
      process.stdout.write('cancelled\n');
      return false;
    }
    reportError(error);
    return true;
  }
}

function historyPath(): string {
  const { CORVID_HISTORY, XDG_STATE_HOME, LOCALAPPDATA } = process.env;
  const state = XDG_STATE_HOME ?? LOCALAPPDATA ?? join(homedir(), '.local', 'state');
  return CORVID_HISTORY ?? join(state, 'corvid', 'history');
}

/** Newest first, as readline wants it. */
function readHistory(): string[] {
  const path = historyPath();
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').split('\n').filter(Boolean).reverse().slice(0, HISTORY_LINES);
}

function writeHistory(newestFirst: readonly string[]): void {
  const path = historyPath();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${[...newestFirst].reverse().join('\n')}\n`, { mode: 0o600 });
}
