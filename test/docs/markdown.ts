// The Markdown documents of the repository: their paths, headings and links.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** Folders without documents of this repository. */
const SKIPPED = new Set(['node_modules', 'dist', 'build', 'prebuilds']);

/** Paths of all Markdown files, relative to the root. */
export function documents(folder = root): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.') && !SKIPPED.has(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return documents(path);
      return entry.name.endsWith('.md') ? [relative(root, path)] : [];
    });
}

export const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

/** A document without its code, which holds no links. */
const withoutCode = (text: string): string =>
  text.replace(/^```.*?^```$/gms, '').replace(/`[^`\n]*`/g, '');

/** The anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(text: string): Set<string> {
  const counts = new Map<string, number>();
  const headings = text.replace(/^```.*?^```$/gms, '').matchAll(/^#{1,6} (.+)$/gm);
  const anchors = [...headings].map(([, heading = '']) => {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .trim()
      .replaceAll(' ', '-');
    const before = counts.get(slug) ?? 0;
    counts.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
  return new Set(anchors);
}

export interface Link {
  from: string;
  target: string;
}

/** All links of a document to files or headings of the repository. */
export function localLinks(from: string): Link[] {
  return [...withoutCode(textOf(from)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => ({ from, target }))
    .filter(({ target }) => !/^[a-z]+:/.test(target));
}
