// How a command ends: exit codes, one clear message for an error, and Ctrl-C.
import { type Command, CommanderError } from 'commander';
import { CorvidError } from '../../index.js';
import { bold, dim, isTerminal, red, yellow } from './style.js';

const EXIT = { ok: 0, error: 1, usage: 2, interrupted: 130 } as const;

/** Parses the command line, runs what it says, and sets the exit code. */
export async function runProgram(program: Command): Promise<void> {
  letReadersLeave();
  forEach(program, (command) => {
    command.exitOverride().showHelpAfterError('(--help says more)');
    command.helpOption('-h, --help', 'print this help');
    command.configureHelp({ styleTitle: (title) => bold(title, process.stdout) });
  });
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed its message; help and --version come by this way too.
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
      return;
    }
    reportError(error);
    process.exitCode = exitCodeOf(error);
  }
}

/** Tells on stderr what went wrong; with CORVID_DEBUG also the stack and the causes. */
export function reportError(error: unknown): void {
  const lines = errorLines(error, isTerminal(process.stderr));
  process.stderr.write(`${lines.join('\n')}\n`);
  if (process.env.CORVID_DEBUG) console.error(error);
}

/**
 * One line, as logs want it; on a terminal what was expected, what was found and what to do stand
 * on lines of their own.
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

/** A signal that the first Ctrl-C (or SIGTERM) fires; the second one ends the process at once. */
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

/** `corvid search … | head` closes the pipe early: that ends the output and is no error. */
function letReadersLeave(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
}

function forEach(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) forEach(child, visit);
}
