// Colours, if the stream is a terminal and NO_COLOR is not set; and text from files made safe to
// print.
import type { WriteStream } from 'node:tty';

type Stream = NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;

export function isTerminal(stream: Stream): boolean {
  return stream.isTTY === true;
}

/** Columns of a terminal; infinite for other streams. */
export function widthOf(stream: Stream): number {
  return isTerminal(stream) ? (stream.columns ?? 80) : Number.POSITIVE_INFINITY;
}

function paint(code: number) {
  return (text: string, stream: Stream): string => {
    const plain = text === '' || !isTerminal(stream) || Boolean(process.env.NO_COLOR);
    return plain ? text : `\u001b[${code}m${text}\u001b[0m`;
  };
}

export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
export const yellow = paint(33);
export const cyan = paint(36);

/** Names and captions are untrusted: their control characters must not reach a terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}

/** Cuts a text to `width` characters and ends it with an ellipsis. */
export function shortened(text: string, width: number): string {
  const characters = Array.from(text);
  return characters.length <= width
    ? text
    : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}
