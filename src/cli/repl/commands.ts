// The dot-commands of the REPL: their syntax, what they do, and what Tab completes for them.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { QueryPart } from '../../index.js';
import { usageError, weighted } from '../console/arguments.js';
import { nameOf } from '../console/hits.js';
import { printable } from '../console/style.js';
import { openWithDesktop } from './desktop.js';
import type { Session } from './session.js';

export interface DotCommand {
  /** Syntax of the argument, for .help. */
  argument: string;
  help: string;
  /** What Tab completes in the argument. */
  completes?: 'file' | 'column';
  run: (session: Session, argument: string, signal: AbortSignal) => Promise<string[]> | string[];
}

export const COMMANDS: ReadonlyMap<string, DotCommand> = new Map<string, DotCommand>([
  [
    '.image',
    {
      argument: '[+|-] FILE',
      help: 'search by image; + adds it, - subtracts it, 0.5*FILE sets its weight',
      completes: 'file',
      run: (session, argument, signal) => {
        const { part, sign } = imagePart(argument);
        return sign === '' ? session.replace(part, signal) : session.add([part], signal);
      },
    },
  ],
  [
    '.more',
    {
      argument: 'N…',
      help: 'more like hit N; 0.5*N sets its weight',
      run: (session, argument, signal) => session.add(itemParts(session, argument, 1), signal),
    },
  ],
  [
    '.less',
    {
      argument: 'N…',
      help: 'less like hit N; 0.5*N sets its weight',
      run: (session, argument, signal) => session.add(itemParts(session, argument, -1), signal),
    },
  ],
  [
    '.where',
    {
      argument: '[SQL]',
      help: "filter, e.g. path like '%lake%'; without SQL, removes the filter",
      completes: 'column',
      run: (session, sql, signal) => session.setWhere(sql, signal),
    },
  ],
  [
    '.next',
    {
      argument: '',
      help: 'the next page of hits',
      run: (session, _, signal) => session.next(signal),
    },
  ],
  [
    '.open',
    {
      argument: 'N',
      help: 'open hit N in the desktop’s viewer',
      run: async (session, number) => {
        const hit = session.hit(number);
        if (hit.path === null) throw usageError(`${nameOf(hit)} has no file`, 'choose another hit');
        await openWithDesktop(hit.path);
        return [`opening ${printable(hit.path)}`];
      },
    },
  ],
  [
    '.sheet',
    {
      argument: 'FILE.html',
      help: 'write the hits as a contact sheet',
      completes: 'file',
      run: (session, file) => session.sheet(filePath(file)),
    },
  ],
  [
    '.limit',
    {
      argument: 'N',
      help: 'hits per page',
      run: (session, text) => {
        const limit = Number(text);
        if (/^\d+$/.test(text) && limit >= 1) return session.setLimit(limit);
        throw usageError(
          `${text || 'nothing'} is not a number of hits`,
          'give an integer of at least 1',
        );
      },
    },
  ],
  [
    '.effort',
    {
      argument: '[0..1]',
      help: 'search effort; 1 scores everything',
      run: (session, text) => {
        const effort = text === '' ? undefined : Number(text);
        if (effort === undefined || (effort >= 0 && effort <= 1)) return session.setEffort(effort);
        throw usageError(`${text} is not an effort`, 'give a number from 0 to 1');
      },
    },
  ],
  [
    '.explain',
    { argument: '', help: 'what the last search did', run: (session) => session.explain() },
  ],
  [
    '.info',
    {
      argument: '',
      help: 'what is in the index, and the size of each structure',
      run: (session) => session.info(),
    },
  ],
  [
    '.timer',
    {
      argument: 'on|off',
      help: 'print the time of each step',
      run: (session, text) => {
        if (text === 'on' || text === 'off') return session.setTimer(text === 'on');
        throw usageError('the timer is either on or off', 'type .timer on or .timer off');
      },
    },
  ],
  ['.help', { argument: '', help: 'print this list', run: () => help() }],
  [
    '.exit',
    {
      argument: '',
      help: 'exit, like Ctrl-D',
      run: (session) => {
        session.done = true;
        return [];
      },
    },
  ],
]);

/**
 * Runs a line as it was typed: a dot-command or a query.
 * @returns lines to print. @throws CorvidError for the loop to report.
 */
export async function runLine(
  session: Session,
  text: string,
  signal: AbortSignal,
): Promise<string[]> {
  const line = text.trim();
  if (line === '') return [];
  if (!/^\.[a-z]/i.test(line)) return session.query(line, signal);
  const name = line.split(/\s+/, 1)[0] as string;
  return findCommand(name).run(session, line.slice(name.length).trim(), signal);
}

/** Finds a command by name or by an unambiguous prefix: `.exp` for `.explain`. */
function findCommand(name: string): DotCommand {
  const exact = COMMANDS.get(name);
  if (exact !== undefined) return exact;
  const near = [...COMMANDS].filter(([full]) => full.startsWith(name));
  const only = near.length === 1 ? near[0]?.[1] : undefined;
  if (only !== undefined) return only;
  const names = near.map(([full]) => full).join(', ');
  throw near.length === 0
    ? usageError(`there is no command ${name}`, '.help lists all commands')
    : usageError(`${name} is ambiguous: ${names}`, 'type more of the name');
}

function help(): string[] {
  const commands = [...COMMANDS].map(([name, command]) => {
    return helpLine(`${name} ${command.argument}`, command.help);
  });
  return [
    'Type a query:',
    helpLine('a dog on a beach', 'a text'),
    helpLine(
      'a beach - 0.5*people',
      '- subtracts, + adds, 0.5* sets a weight; "quotes" protect a text',
    ),
    helpLine('+ sunset', 'a line that starts with + or - extends the last query'),
    'Or a command, which may be abbreviated:',
    ...commands,
  ];
}

function helpLine(form: string, help: string): string {
  return `  ${form.padEnd(20)}  ${help}`;
}

function imagePart(argument: string): { part: QueryPart; sign: string } {
  const [, sign = '', rest = ''] = /^([+-]?)\s*(.*)$/s.exec(argument) ?? [];
  const { value, weight } = weighted(rest);
  return { part: { image: filePath(value), weight: sign === '-' ? -weight : weight }, sign };
}

function itemParts(session: Session, argument: string, sign: 1 | -1): QueryPart[] {
  return argument.split(/[\s,]+/).map((text) => {
    const { value, weight } = weighted(text);
    return session.partOfHit(value, sign * weight);
  });
}

/** The rest of a line as a path: quotes are removed, ~ is the home folder. */
function filePath(argument: string): string {
  const quoted = /^(["'])(.*)\1$/s.exec(argument);
  const path = quoted?.[2] ?? argument;
  if (path === '') throw usageError('a file is missing', 'type its path after the command');
  return resolve(expandHome(path));
}

export function expandHome(path: string): string {
  return /^~(?=\/|$)/.test(path) ? join(homedir(), path.slice(1)) : path;
}
