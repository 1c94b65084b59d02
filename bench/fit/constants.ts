// The numbers that code has now, read from its source: constants of one file are no part of what it
// exports.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CorvidError } from '../../src/errors.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** All numbers of the constant `name`, wherever below src/ and native-bindings/src/ it is defined:
 * one, or those between its braces. */
export function numbersOf(name: string): number[] {
  const pattern = new RegExp(`\\b${name}(?:\\[\\w+\\])? = (\\{[^}]*\\}|[^;]*);`);
  for (const folder of ['src', 'native-bindings/src']) {
    for (const path of readdirSync(join(root, folder), { recursive: true }) as string[]) {
      if (!/\.(ts|cc|h)$/.test(path)) continue;
      const found = pattern.exec(readFileSync(join(root, folder, path), 'utf8'))?.[1];
      const numbers = found?.match(/-?\d[\d_]*(?:\.\d+)?/g);
      if (numbers != null) return numbers.map((text) => Number(text.replaceAll('_', '')));
    }
  }
  throw new CorvidError('ERR_NOT_FOUND', `no source defines ${name}`, {
    path: root,
    hint: 'name the constant as the source does',
  });
}

export function numberOf(name: string): number {
  return numbersOf(name)[0] as number;
}
