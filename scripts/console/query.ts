// A query as people read it: `a dog − people + chair.jpg`.
import { basename } from 'node:path';
import type { QueryPart } from '../../src/index.js';

export function describeQuery(parts: readonly QueryPart[]): string {
  return parts
    .map((part, i) => {
      const weight = part.weight ?? 1;
      const sign = weight < 0 ? '− ' : i > 0 ? '+ ' : '';
      const size = Math.abs(weight);
      return `${sign}${size === 1 ? '' : `${size}*`}${describePart(part)}`;
    })
    .join(' ');
}

function describePart(part: QueryPart): string {
  if ('text' in part) return part.text;
  if ('item' in part) return typeof part.item === 'number' ? `item ${part.item}` : part.item;
  if ('image' in part) return typeof part.image === 'string' ? basename(part.image) : 'a picture';
  return 'a vector';
}
