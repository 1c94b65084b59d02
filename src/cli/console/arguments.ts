// Command-line values → the types that the library takes. What is wrong ends in exit code 2.
import { InvalidArgumentError } from 'commander';
import { CorvidError, type QueryPart } from '../../index.js';

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
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
  return text.split(',').map((bits) => wholeNumber(bits.trim()));
}

/** 4GB, 500MB, 1.5G or a plain number of bytes; decimal units. */
export function sizeInBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kMGT]?)i?B?$/i.exec(text.trim());
  if (match === null) throw new InvalidArgumentError('Expected a size such as 4GB or 500MB.');
  const power = ['', 'K', 'M', 'G', 'T'].indexOf((match[2] ?? '').toUpperCase());
  return Math.round(Number(match[1]) * 1000 ** power);
}

/** A value may carry its weight in front: `0.5*chair.jpg`, `-1*chair.jpg`. */
export function weighted(text: string): { value: string; weight: number } {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))\*(.+)$/s.exec(text);
  if (match === null) return { value: text, weight: 1 };
  return { value: match[2] as string, weight: Number(match[1]) };
}

/** A repeatable option: gathers one query part an occurrence. */
export function gather(toPart: (text: string) => QueryPart) {
  return (text: string, before: QueryPart[] | undefined): QueryPart[] => [
    ...(before ?? []),
    toPart(text),
  ];
}

/** A repeatable option: gathers the texts of all occurrences. */
export function gatherText(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text];
}

export function imagePart(text: string): QueryPart {
  const { value, weight } = weighted(text);
  return { image: value, weight };
}

const KEY = 'key:';

/** An item by number, or else by key; `key:2024` is a key that looks like a number. */
export function itemPart(sign: 1 | -1) {
  return (text: string): QueryPart => {
    const { value, weight } = weighted(text);
    const key = value.startsWith(KEY) ? value.slice(KEY.length) : value;
    const item = /^\d+$/.test(value) ? Number(value) : key;
    return { item, weight: sign * weight };
  };
}

/** A mistake that no single option shows. */
export function usageError(what: string, hint: string): CorvidError {
  return new CorvidError('ERR_USAGE', what, { hint });
}
