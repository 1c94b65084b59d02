// Reads a file of JSON objects, one a line, as a stream. A line that is too long or is not an object
// is an error with its number; empty lines are skipped.
import { createReadStream } from 'node:fs';
import { CorvidError, fromSystemError } from '../errors.js';

/** A vector of 16,384 numbers in decimal is about 350 kB; the rest is for captions. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;

export interface JsonLine {
  /** From 1. */
  line: number;
  value: Record<string, unknown> | unknown[];
}

/** @returns the text of each line that is not blank, with its number from 1 */
export async function* readLines(path: string): AsyncGenerator<{ line: number; text: string }> {
  const stream = createReadStream(path, { highWaterMark: 1 << 20 });
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let line = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        line++;
        const text = Buffer.concat([...pending, chunk.subarray(start, end)]).toString('utf8');
        pending = [];
        pendingBytes = 0;
        start = end + 1;
        if (text.trim() !== '') yield { line, text };
      }
      const rest = chunk.subarray(start);
      pendingBytes += rest.length;
      if (pendingBytes > MAX_LINE_BYTES) throw tooLong(path, line + 1);
      if (rest.length > 0) pending.push(rest);
    }
  } catch (error) {
    throw fromSystemError(error, path, 'read the file');
  } finally {
    stream.destroy();
  }
  const last = Buffer.concat(pending).toString('utf8');
  if (last.trim() !== '') yield { line: line + 1, text: last };
}

/** @returns each line parsed. Throws ERR_SOURCE_INVALID for one that is not a JSON object or array. */
export async function* readJsonLines(path: string): AsyncGenerator<JsonLine> {
  for await (const { line, text } of readLines(path)) {
    yield { line, value: parseLine(path, line, text) };
  }
}

/** Parses one line as an object or an array. */
export function parseLine(path: string, line: number, text: string): JsonLine['value'] {
  let value: unknown;
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (cause) {
    throw new CorvidError('ERR_SOURCE_INVALID', `line ${line} is not JSON`, {
      path,
      actual: JSON.stringify(text.slice(0, 80)),
      hint: 'every line must be one JSON object',
      cause,
    });
  }
  if (value === null || typeof value !== 'object') {
    throw new CorvidError('ERR_SOURCE_INVALID', `line ${line} is not a JSON object`, {
      path,
      actual: JSON.stringify(value)?.slice(0, 80) ?? 'nothing',
      hint: 'every line must be one JSON object',
    });
  }
  return value as JsonLine['value'];
}

function tooLong(path: string, line: number): CorvidError {
  return new CorvidError('ERR_SOURCE_INVALID', `line ${line} is too long`, {
    path,
    expected: `at most ${MAX_LINE_BYTES} bytes`,
    hint: 'write one JSON object a line',
  });
}
