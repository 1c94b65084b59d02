// Runs a command: exit codes, one clear message per error, and Ctrl-C.
import { type Command, CommanderError } from 'commander';
import { CorvidError } from '../../index.js';
import { bold, dim, isTerminal, red, yellow } from './style.js';

const EXIT = { ok: 0, error: 1, usage: 2, interrupted: 130 } as const;

/** Parses the command line, runs the command, and sets the exit code. */
export async function runProgram(program: Command): Promise<void> {
  exitOnClosedPipe();
  forEach(program, (command) => {
    command.exitOverride().showHelpAfterError('(see --help)');
    command.helpOption('-h, --help', 'print this help');
    command.configureHelp({ styleTitle: (title) => bold(title, process.stdout) });
  });
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed its message already. --help and --version arrive here too.
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
      return;
    }
    reportError(error);
    process.exitCode = exitCodeOf(error);
  }
}

/** Prints an error on stderr; with CORVID_DEBUG also its stack and causes. */
export function reportError(error: unknown): void {
  const lines = errorLines(error, isTerminal(process.stderr));
  process.stderr.write(`${lines.join('\n')}\n`);
  if (process.env.CORVID_DEBUG) console.error(error);
}

/**
 * One line, for logs; on a terminal, what was expected, what was found and what to do follow on
 * separate lines.
 */
export function errorLines(error: unknown, terminal: boolean): string[] {
  if (!(error instanceof CorvidError)) {
    return [`${red('error:', process.stderr)} ${error instanceof Error ? error.message : error}`];
  }
  const { code, path, what, expected, actual, hint, message } = error;
  if (code === 'ERR_ABORTED') {
    return [`${yellow('interrupted', process.stderr)}${hint === undefined ? '' : `: ${hint}`}`];
  }
  const start = red('error:', process.stderr);
  if (!terminal) return [`${start} ${message}`];
  const detail = (name: string, text: string | undefined) =>
    text === undefined ? [] : [`  ${dim(name.padEnd(8), process.stderr)}  ${text}`];
  return [
    `${start} ${code}: ${path === undefined ? '' : `${path}: `}${bold(what, process.stderr)}`,
    ...detail('expected', expected),
    ...detail('found', actual),
    ...detail('try', hint),
  ];
}

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof CorvidError)) return EXIT.error;
  if (error.code === 'ERR_ABORTED') return EXIT.interrupted;
  return error.code === 'ERR_USAGE' || error.code === 'ERR_QUERY' ? EXIT.usage : EXIT.error;
}

/** A signal that the first Ctrl-C (or SIGTERM) aborts; the second one ends the process at once. */
export function interruptSignal(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new Error('interrupted'));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const release = () => {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  };
  return { signal: controller.signal, release };
}

/** `corvid search … | head` closes the pipe early: that ends the command and is not an error. */
function exitOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
}

function forEach(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) forEach(child, visit);
}
