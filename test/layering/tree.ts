// Reads the tree for the layering tests: its files, their imports and includes, and circles in them.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
export const NATIVE = 'native-bindings/src';

/** One file names another; paths from the root, or from native-bindings/src for includes. */
export interface Edge {
  from: string;
  to: string;
  typeOnly: boolean;
}

/** Files below `folder` whose name matches, as paths from the root. */
export function filesBelow(folder: string, ending: RegExp): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = join(folder, name);
    // Installed and built files lie in hidden folders, build/ and node_modules/.
    if (/^(\.|build$|node_modules$)/.test(name)) return [];
    if (statSync(join(root, path)).isDirectory()) return filesBelow(path, ending);
    return ending.test(name) ? [path] : [];
  });
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Relative imports of a TypeScript file: static, for side effects, and dynamic. */
export function importsOf(path: string): Edge[] {
  const text = read(path);
  const named = /^(?:import|export)\s+(type\s+)?[^;']*?from\s+'(\.[^']+)'/gm;
  const bare = /^import\s+'(\.[^']+)'|import\(\s*'(\.[^']+)'\s*\)/gm;
  const edge = (specifier: string, typeOnly: boolean): Edge => {
    const target = relative(root, resolve(root, dirname(path), specifier));
    return { from: path, to: target.replace(/\.js$/, '.ts'), typeOnly };
  };
  return [
    ...[...text.matchAll(named)].map((m) => edge(m[2] as string, m[1] !== undefined)),
    ...[...text.matchAll(bare)].map((m) => edge((m[1] ?? m[2]) as string, false)),
  ];
}

/** Quoted includes of all native files. */
export function includes(): Edge[] {
  return filesBelow(NATIVE, /\.(h|cc)$/).flatMap((path) =>
    [...read(path).matchAll(/^#include "([^"]+)"/gm)].map((m) => ({
      from: relative(NATIVE, path),
      to: m[1] as string,
      typeOnly: false,
    })),
  );
}

/** `a → b`, for the message of a failed test. */
export function shown(edges: readonly Edge[]): string[] {
  return edges.map(({ from, to }) => `${from} → ${to}`);
}

/** One circle through each group of names that reach each other: `a → b → a`. */
export function circles(edges: readonly Pick<Edge, 'from' | 'to'>[]): string[] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of edges) next.set(from, (next.get(from) ?? new Set()).add(to));
  const seen = new Set<string>();
  return [...next.keys()].flatMap((start) => {
    if (seen.has(start)) return [];
    const path = wayBack(start, next);
    for (const name of path) seen.add(name);
    return path.length === 0 ? [] : [[...path, start].join(' → ')];
  });
}

/** The shortest way from `start` back to itself, without its end; empty if there is none. */
function wayBack(start: string, next: ReadonlyMap<string, Set<string>>): string[] {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    for (const other of next.get(name) ?? []) {
      if (other === start) {
        const path = [name];
        while (path[0] !== start) path.unshift(cameFrom.get(path[0] as string) as string);
        return path;
      }
      if (cameFrom.has(other)) continue;
      cameFrom.set(other, name);
      queue.push(other);
    }
  }
  return [];
}
