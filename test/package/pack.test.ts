// The tarball holds all that a user needs to run and compile corvid, and nothing else.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { localLinks } from '../docs/markdown.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Package {
  bin: Record<string, string>;
  exports: Record<string, string | Record<string, string>>;
  types: string;
  dependencies: Record<string, string>;
}

interface Bindings {
  targets: { sources: string[]; includes: string[]; include_dirs: string[] }[];
}

const manifest = JSON.parse(read('package.json')) as Package;
const NATIVE = 'native-bindings';
const MODELS = 'src/embed/models';

const { stdout } = await promisify(execFile)(
  'npm',
  ['pack', '--dry-run', '--json', '--ignore-scripts'],
  { cwd: root, maxBuffer: 1 << 24 },
);
const [tarball] = JSON.parse(stdout) as { files: { path: string }[] }[];
const packed = new Set(tarball?.files.map(({ path }) => path));
const absent = (paths: readonly string[]) => paths.filter((path) => !packed.has(path));

/** What a module names in imports, `require` and relative URLs. */
function specifiersOf(text: string): string[] {
  const patterns = [
    /^(?:import|export)\s[^;]*?from\s+'([^']+)'/gms,
    /^import\s+'([^']+)'/gm,
    /\b(?:import|require|resolve)\(\s*'([^']+)'\s*\)/g,
    /new URL\('([^']+\.js)',\s*import\.meta\.url\)/g,
  ];
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((m) => m[1] as string));
}

const modules = [...packed].filter((path) => /^dist\/.*\.js$/.test(path));
const imported = modules.flatMap((from) =>
  specifiersOf(read(from)).map((to) => ({ from, to: to.replace(/^node:/, '') })),
);
const packageOf = (specifier: string) =>
  specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
const outside = imported.filter(({ to }) => !to.startsWith('.') && !builtinModules.includes(to));

t.test('the tarball holds no code of tests, benches or tools', async (t) => {
  t.ok(packed.size > 100, 'the tarball was listed');
  const unexpected = [...packed].filter((path) =>
    /(^|\/)(test|tests|bench|scripts|synthetic|node_modules|build)\/|\.tsbuildinfo$/.test(path),
  );
  t.strictSame(unexpected, []);
  const known =
    /^(dist\/src\/|native-bindings\/(src|prebuilds)\/|src\/embed\/models\/|native-bindings\/(binding\.gyp|flags\.gypi)$|docs\/errors\.md$|[A-Z]+(\.md)?$|package\.json$)/;
  t.strictSame(
    [...packed].filter((path) => !known.test(path)),
    [],
    'every file is of a kind that ships',
  );
  const stale = modules.filter(
    (path) => !existsSync(join(root, path.replace(/^dist\//, '').replace(/js$/, 'ts'))),
  );
  t.strictSame(stale, [], 'compiled from sources that exist; else run "npm run build:ts"');
});

t.test('the tarball holds the files that package.json names', async (t) => {
  const entries = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  );
  const named = [...Object.values(manifest.bin), ...entries, manifest.types];
  t.ok(named.length >= 5);
  t.strictSame(absent(named.map((path) => path.replace(/^\.\//, ''))), []);
  t.strictSame(absent(['LICENSE', 'NOTICE', 'README.md', 'FORMAT.md']), []);
});

t.test('packed documents link to packed files only', async (t) => {
  // The bundled model has documents of its authors.
  const documents = [...packed].filter((path) => path.endsWith('.md') && !path.startsWith(MODELS));
  const links = documents.flatMap(localLinks).map(({ from, target }) => {
    const [file = ''] = target.split('#');
    return file === '' ? from : join(dirname(from), file).replaceAll('\\', '/');
  });
  t.ok(documents.length >= 4 && links.length > 5, 'documents and links were found');
  t.strictSame(absent(links), []);
});

t.test('the tarball holds all sources of the addon', async (t) => {
  const { targets } = JSON.parse(read(`${NATIVE}/binding.gyp`)) as Bindings;
  const [target] = targets;
  t.equal(targets.length, 1, 'one addon ships');
  const sources = target?.sources ?? [];
  t.ok(sources.length > 50);
  const named = ['binding.gyp', ...(target?.includes ?? []), ...sources];
  t.strictSame(absent(named.map((path) => `${NATIVE}/${path}`)), []);
  const headers = [...packed]
    .filter((path) => /^native-bindings\/src\/.*\.(cc|h)$/.test(path))
    .flatMap((path) => [...read(path).matchAll(/^#include "([^"]+)"/gm)])
    .map((m) => `${NATIVE}/src/${m[1]}`);
  t.ok(headers.length > 100, 'the includes were found at all');
  t.strictSame(absent(headers), []);
});

t.test('the tarball holds the bundled model and its licence', async (t) => {
  const files = (readdirSync(join(root, MODELS), { recursive: true }) as string[])
    .map((name) => `${MODELS}/${name.replaceAll('\\', '/')}`)
    .filter((path) => statSync(join(root, path)).isFile());
  t.ok(files.some((path) => path.endsWith('.onnx')));
  t.ok(files.some((path) => path.endsWith('/LICENSE')));
  t.strictSame(absent(files), []);
});

t.test('modules import only packed modules and dependencies', async (t) => {
  t.ok(modules.length > 50 && outside.length > 10, 'the imports were found at all');
  const beside = imported
    .filter(({ to }) => to.startsWith('.'))
    .map(({ from, to }) => join(dirname(from), to).replaceAll('\\', '/'));
  t.strictSame(absent(beside), []);
  const undeclared = outside.filter(({ to }) => manifest.dependencies[packageOf(to)] === undefined);
  t.strictSame(undeclared, []);
});

t.test('every dependency is imported by a packed module', async (t) => {
  const used = new Set(outside.map(({ to }) => packageOf(to)));
  // The headers that the addon is compiled with.
  if (read(`${NATIVE}/flags.gypi`).includes("require('node-addon-api')")) {
    used.add('node-addon-api');
  }
  t.strictSame(
    Object.keys(manifest.dependencies).filter((name) => !used.has(name)),
    [],
  );
});
