// Formats a query for people: `a dog − people + chair.jpg`.
import { basename } from 'node:path';
import type { ItemRef, QueryPart } from '../../index.js';
import { printable } from './style.js';

/** @param nameOfItem gives the name to show for an item */
export function describeQuery(
  parts: readonly QueryPart[],
  nameOfItem: (item: ItemRef) => string = (item) => `item ${item}`,
): string {
  return parts
    .map((part, i) => {
      const weight = part.weight ?? 1;
      const sign = weight < 0 ? '− ' : i > 0 ? '+ ' : '';
      const size = Math.abs(weight);
      return `${sign}${size === 1 ? '' : `${size}*`}${printable(describePart(part, nameOfItem))}`;
    })
    .join(' ');
}

function describePart(part: QueryPart, nameOfItem: (item: ItemRef) => string): string {
  if ('text' in part) return part.text;
  if ('item' in part) return typeof part.item === 'string' ? part.item : nameOfItem(part.item);
  if ('image' in part) return typeof part.image === 'string' ? basename(part.image) : 'a picture';
  return 'a vector';
}

/** The first image file of a query, to show on a contact sheet. */
export function pictureOf(parts: readonly QueryPart[]): string | undefined {
  return parts.flatMap((part) =>
    'image' in part && typeof part.image === 'string' ? [part.image] : [],
  )[0];
}
