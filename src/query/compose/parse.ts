// The query language of one line, as the command line and the REPL read it.
//
//   line   = ["+" | "-"] part { ("+" | "-") part }
//   part   = [weight "*"] text
//   weight = a number above zero
//
// An operator stands at the start of a word: `apples - leaves`, `apples -leaves`. Inside a word it is
// a letter like any other: `t-shirt`, `rock+roll`. Double quotes keep everything between them.
import { CorvidError } from '../../errors.js';
import type { TextPart } from '../types.js';

const WEIGHT = /^\s*(\d+(?:\.\d*)?|\.\d+)\s*\*/;
/** After a blank or the start of the line: + or - (or a real minus), then a blank, quote or word. */
const OPERATOR = /^[+\-−](?=$|[\s"\p{L}\p{N}.])/u;

interface RawPart {
  sign: 1 | -1;
  /** Text before a quote may carry the weight; quoted text never does. */
  text: string;
  weight: number;
}

/**
 * Turns a line into weighted texts.
 * @throws ERR_QUERY for an empty line, an operator without a text, an open quote, a weight of zero.
 */
export function parseQuery(line: string): TextPart[] {
  const parts = splitParts(line);
  for (const part of parts) {
    if (part.text === '') {
      const what = parts.length === 1 ? 'the query is empty' : 'an operator has no text beside it';
      throw refusal(line, what, 'write a text on both sides of + and -, or quote them: "a + b"');
    }
    if (part.weight === 0) {
      throw refusal(line, 'a weight is zero', 'leave the text out, or give it a weight above zero');
    }
  }
  return parts.map(({ sign, text, weight }) => ({ text, weight: sign * weight }));
}

function splitParts(line: string): RawPart[] {
  const parts: RawPart[] = [];
  let part: RawPart = { sign: 1, text: '', weight: 1 };
  let started = false;
  let position = 0;
  while (position < line.length) {
    const rest = line.slice(position);
    const wordStart = position === 0 || /\s/.test(line[position - 1] as string);
    const operator = wordStart ? OPERATOR.exec(rest) : null;
    const weight = part.text.trim() === '' && part.weight === 1 ? WEIGHT.exec(rest) : null;
    if (operator !== null) {
      if (started) parts.push(part);
      part = { sign: operator[0] === '+' ? 1 : -1, text: '', weight: 1 };
      started = true;
      position++;
    } else if (weight !== null) {
      part.weight = Number(weight[1]);
      started = true;
      position += weight[0].length;
    } else if (rest.startsWith('"')) {
      const end = line.indexOf('"', position + 1);
      if (end < 0) throw refusal(line, 'a quote is not closed', 'close it with a second "');
      part.text += line.slice(position + 1, end);
      started = true;
      position = end + 1;
    } else {
      part.text += line[position];
      started ||= /\S/.test(line[position] as string);
      position++;
    }
  }
  parts.push(part);
  return parts.map((raw) => ({ ...raw, text: raw.text.trim().replace(/\s+/g, ' ') }));
}

function refusal(line: string, what: string, hint: string): CorvidError {
  return new CorvidError('ERR_QUERY', what, { actual: JSON.stringify(line), hint });
}
