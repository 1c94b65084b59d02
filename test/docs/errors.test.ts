// docs/errors.md against the code: each error code is documented once, and nothing else is.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { root, textOf } from './markdown.js';

const inOrder = (codes: Iterable<string>): string[] => [...new Set(codes)].sort();

/** The union of src/errors.ts: the codes that callers may see. */
const declared = [...textOf('src/errors.ts').matchAll(/^ {2}\| '(ERR_[A-Z_]+)'/gm)].map(
  ([, code = '']) => code,
);
const documented = [...textOf('docs/errors.md').matchAll(/^### (ERR_[A-Z_]+)$/gm)].map(
  ([, code = '']) => code,
);

const quoted = (text: string): string[] =>
  [...text.matchAll(/["'](ERR_[A-Z_]+)["']/g)].map(([, code = '']) => code);

/** Codes that files below a folder contain as strings, outside the union. */
function codesIn(folder: string, ending: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true })
    .map(String)
    .filter((name) => ending.test(name))
    .map((name) => readFileSync(join(root, folder, name), 'utf8'))
    .flatMap((text) => quoted(text.replace(/^ {2}\| 'ERR_.*$/gm, '')));
}

const NATIVE = codesIn('native-bindings/src', /\.(cc|h)$/);

t.test('every declared code is documented once, and no other', async (t) => {
  t.ok(declared.length > 20, 'the codes were found');
  t.strictSame(documented.toSorted(), declared.toSorted());
});

t.test('native code throws codes that are declared', async (t) => {
  t.ok(NATIVE.length > 20, 'the codes were found');
  t.strictSame(inOrder(NATIVE.filter((code) => !declared.includes(code))), []);
});

t.test('every declared code is used somewhere', async (t) => {
  const used = new Set([...NATIVE, ...codesIn('src', /\.ts$/)]);
  t.strictSame(
    declared.filter((code) => !used.has(code)),
    [],
  );
});

t.test('every entry has a When and a Do', async (t) => {
  const entries = textOf('docs/errors.md').split(/^### /m).slice(1);
  const short = entries.filter(
    (entry) => !/\*\*When\*\*: \S/.test(entry) || !/\*\*Do\*\*: \S/.test(entry),
  );
  t.strictSame(
    short.map((entry) => entry.split('\n')[0]),
    [],
  );
});
