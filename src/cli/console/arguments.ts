// Parses command-line values into the types that the library takes. A bad value exits with code 2.
import { InvalidArgumentError } from 'commander';
import { CorvidError, type QueryPart } from '../../index.js';

export function integer(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected a non-negative integer.');
  return Number(text);
}

export function realNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw new InvalidArgumentError('Expected a number.');
  }
  return value;
}

export function fraction(text: string): number {
  const value = realNumber(text);
  if (value < 0 || value > 1) throw new InvalidArgumentError('Expected a number from 0 to 1.');
  return value;
}

/** 64,512 → [64, 512]. */
export function levelList(text: string): number[] {
  return text.split(',').map((bits) => integer(bits.trim()));
}

/** 4GB, 500MB, 1.5G, or a plain number of bytes; units are decimal. */
export function sizeInBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kMGT]?)i?B?$/i.exec(text.trim());
  if (match === null) throw new InvalidArgumentError('Expected a size such as 4GB or 500MB.');
  const power = ['', 'K', 'M', 'G', 'T'].indexOf((match[2] ?? '').toUpperCase());
  return Math.round(Number(match[1]) * 1000 ** power);
}

/** A value with an optional weight before it: `0.5*chair.jpg`, `-1*chair.jpg`. */
export function weighted(text: string): { value: string; weight: number } {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))\*(.+)$/s.exec(text);
  if (match === null) return { value: text, weight: 1 };
  return { value: match[2] as string, weight: Number(match[1]) };
}

/** For a repeatable option: collects one query part per occurrence. */
export function collectParts(toPart: (text: string) => QueryPart) {
  return (text: string, before: QueryPart[] | undefined): QueryPart[] => [
    ...(before ?? []),
    toPart(text),
  ];
}

/** For a repeatable option: collects the text of each occurrence. */
export function collectTexts(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text];
}

export function imagePart(text: string): QueryPart {
  const { value, weight } = weighted(text);
  return { image: value, weight };
}

const KEY = 'key:';

/** An item by number, else by key; `key:2024` is a key that looks like a number. */
export function itemPart(sign: 1 | -1) {
  return (text: string): QueryPart => {
    const { value, weight } = weighted(text);
    const key = value.startsWith(KEY) ? value.slice(KEY.length) : value;
    const item = /^\d+$/.test(value) ? Number(value) : key;
    return { item, weight: sign * weight };
  };
}

/** A usage error that concerns more than one option, or a REPL line. */
export function usageError(what: string, hint: string): CorvidError {
  return new CorvidError('ERR_USAGE', what, { hint });
}
