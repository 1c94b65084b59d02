// The dot-commands of the REPL: how they are written, what they do, and what Tab offers for them.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { QueryPart } from '../../index.js';
import { usageError, weighted } from '../console/arguments.js';
import { nameOf } from '../console/hits.js';
import { printable } from '../console/style.js';
import { openWithDesktop } from './desktop.js';
import type { Session } from './session.js';

export interface DotCommand {
  /** What stands behind the name. */
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
      help: 'search with a picture; + adds it, - takes it away, 0.5*FILE weighs it',
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
      help: 'more like hit N; 0.5*N weighs it',
      run: (session, argument, signal) => session.add(itemParts(session, argument, 1), signal),
    },
  ],
  [
    '.less',
    {
      argument: 'N…',
      help: 'less like hit N; 0.5*N weighs it',
      run: (session, argument, signal) => session.add(itemParts(session, argument, -1), signal),
    },
  ],
  [
    '.where',
    {
      argument: '[SQL]',
      help: "only items that match, as path like '%lake%'; without SQL, all again",
      completes: 'column',
      run: (session, sql, signal) => session.setWhere(sql, signal),
    },
  ],
  [
    '.next',
    { argument: '', help: 'the following hits', run: (session, _, signal) => session.next(signal) },
  ],
  [
    '.open',
    {
      argument: 'N',
      help: 'show hit N in the desktop’s viewer',
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
      help: 'hits a page',
      run: (session, text) => {
        const limit = Number(text);
        if (/^\d+$/.test(text) && limit >= 1) return session.setLimit(limit);
        throw usageError(
          `${text || 'nothing'} is no number of hits`,
          'give a whole number, 1 or more',
        );
      },
    },
  ],
  [
    '.effort',
    {
      argument: '[0..1]',
      help: 'how hard to look; 1 looks at everything',
      run: (session, text) => {
        const effort = text === '' ? undefined : Number(text);
        if (effort === undefined || (effort >= 0 && effort <= 1)) return session.setEffort(effort);
        throw usageError(`${text} is no effort`, 'give a number from 0 to 1');
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
      help: 'what is in the index, and what it costs',
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
        throw usageError('the timer is on or off', 'say .timer on or .timer off');
      },
    },
  ],
  ['.help', { argument: '', help: 'print this', run: () => help() }],
  [
    '.exit',
    {
      argument: '',
      help: 'leave, as Ctrl-D does',
      run: (session) => {
        session.done = true;
        return [];
      },
    },
  ],
]);

/** By name, or by the start of one where that is clear: `.exp` for `.explain`. */
/**
 * A line as it was typed: a dot-command, or a query.
 * @returns lines to print. @throws CorvidError for the loop to show.
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

function findCommand(name: string): DotCommand {
  const exact = COMMANDS.get(name);
  if (exact !== undefined) return exact;
  const near = [...COMMANDS].filter(([full]) => full.startsWith(name));
  const only = near.length === 1 ? near[0]?.[1] : undefined;
  if (only !== undefined) return only;
  const names = near.map(([full]) => full).join(', ');
  throw near.length === 0
    ? usageError(`there is no command ${name}`, '.help lists all of them')
    : usageError(`${name} may be ${names}`, 'write more of it');
}

function help(): string[] {
  const commands = [...COMMANDS].map(([name, command]) => {
    return helpLine(`${name} ${command.argument}`, command.help);
  });
  return [
    'A line is a query:',
    helpLine('a dog on a beach', 'words'),
    helpLine('a beach - 0.5*people', 'take away, add with +, weigh; "quotes" keep a text whole'),
    helpLine('+ sunset', 'a line that begins with + or - goes on with the query'),
    'Or a command, as short as is clear:',
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

/** The rest of a line as a path: quotes are taken off, ~ is the home folder. */
function filePath(argument: string): string {
  const quoted = /^(["'])(.*)\1$/s.exec(argument);
  const path = quoted?.[2] ?? argument;
  if (path === '') throw usageError('a file is missing', 'name one behind the command');
  return resolve(expandHome(path));
}

export function expandHome(path: string): string {
  return /^~(?=\/|$)/.test(path) ? join(homedir(), path.slice(1)) : path;
}
