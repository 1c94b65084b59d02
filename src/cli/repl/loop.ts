// The terminal side of the REPL: lines, history, Tab, Ctrl-C and Ctrl-D.
//
// Lines are answered in order, one at a time, even if they are piped in faster. Ctrl-C cancels the
// running query, or else clears the line; Ctrl-D or `.exit` exits.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { CorvidError, type CorvidIndex } from '../../index.js';
import { headline } from '../console/ledger.js';
import { reportError } from '../console/run.js';
import { bold, dim } from '../console/style.js';
import { runLine } from './commands.js';
import { completions } from './complete.js';
import { Session, type SessionOptions } from './session.js';

const HISTORY_LINES = 1000;

export async function runRepl(index: CorvidIndex, options: SessionOptions): Promise<void> {
  const interactive = process.stdin.isTTY === true;
  const session = new Session(index, options);
  const reader = createInterface({
    input: process.stdin,
    output: interactive ? process.stdout : undefined,
    terminal: interactive,
    prompt: '> ',
    history: interactive ? readHistory() : [],
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
    completer: completions,
  });
  let running: AbortController | undefined;
  const leaving = new AbortController();
  reader.on('SIGINT', () => {
    if (running !== undefined) running.abort(new Error('interrupted'));
    else clearLine(reader);
  });
  if (interactive) {
    reader.on('history', writeHistory);
    const info = await index.info();
    process.stdout.write(`${bold('corvid', process.stdout)} ${headline(info)}\n`);
    process.stdout.write(`${dim('type what to look for, or .help', process.stdout)}\n`);
    if (info.encoder !== null) warmUp(index, leaving.signal);
    reader.prompt();
  }
  for await (const line of reader) {
    running = new AbortController();
    const failed = await answer(session, line, running.signal);
    running = undefined;
    // A script that pipes lines in learns from the exit code that one of them failed.
    if (failed && !interactive) process.exitCode = 1;
    if (session.done) break;
    if (interactive) reader.prompt();
  }
  leaving.abort();
  reader.close();
  if (interactive && !session.done) process.stdout.write('\n');
}

/** Loads the text encoder while the first line is being typed. */
function warmUp(index: CorvidIndex, signal: AbortSignal): void {
  index.search('a photo', { limit: 1, signal }).catch(() => {
    // No query was made yet: the first one that needs the encoder reports what is wrong.
  });
}

/** Clears the line; on an empty line, says how to exit. */
function clearLine(reader: Interface): void {
  if (reader.line === '') {
    process.stdout.write('\n(Ctrl-D or .exit to exit)\n');
    reader.prompt();
    return;
  }
  // Sends readline's own keys: Ctrl-E to the end of the line, Ctrl-U to delete back to its start.
  reader.write(null, { ctrl: true, name: 'e' });
  reader.write(null, { ctrl: true, name: 'u' });
}

async function answer(session: Session, line: string, signal: AbortSignal): Promise<boolean> {
  try {
    const lines = await runLine(session, line, signal);
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

/** Newest first, as readline expects it. */
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
