// Present values of constants, read from the sources, as files do not export them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CorvidError } from '../../src/errors.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** All numbers of the constant `name`, defined anywhere below src/ or native-bindings/src/: one, or
 * those between its braces. */
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
    hint: 'use the name of the constant in the source',
  });
}

export function numberOf(name: string): number {
  return numbersOf(name)[0] as number;
}
