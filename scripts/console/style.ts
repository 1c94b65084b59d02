// Colours, where the stream is a terminal and nobody has asked to go without (NO_COLOR).
import type { WriteStream } from 'node:tty';

type Stream = NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY'>>;

export function isTerminal(stream: Stream): boolean {
  return stream.isTTY === true;
}

function paint(code: number) {
  return (text: string, stream: Stream): string => {
    const plain = !isTerminal(stream) || Boolean(process.env.NO_COLOR);
    return plain ? text : `\u001b[${code}m${text}\u001b[0m`;
  };
}

export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
export const cyan = paint(36);
