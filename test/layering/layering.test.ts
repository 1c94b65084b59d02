// The layout of the tree: imports and includes point downwards, and no file outgrows its reader.
//
//   scripts → cli → index → indexer → query, packed → store, codec, embed, formats → native, option-checks, errors
//
// Folders of one rank do not know each other's values (types may be shared), and folders form no
// circle. Bench and test may reach into any folder; the command line sees the public index alone.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

const RANK: Record<string, number> = {
  errors: 0,
  native: 1,
  'option-checks': 1,
  formats: 2,
  store: 2,
  codec: 2,
  embed: 2,
  query: 3,
  packed: 3,
  indexer: 4,
  index: 5,
  cli: 6,
  scripts: 7,
};

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

function filesBelow(folder: string, ending: RegExp): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = join(folder, name);
    // What is installed or built beside the sources lies in hidden folders.
    if (name.startsWith('.')) return [];
    if (statSync(join(root, path)).isDirectory()) return filesBelow(path, ending);
    return ending.test(name) ? [path] : [];
  });
}

/** The folder a file belongs to: below src, the bare name for src/*.ts, or `scripts`. */
function folderOf(path: string): string {
  const [top = '', second = ''] = path.split('/');
  return top === 'src' ? second.replace(/\.[jt]s$/, '') : top;
}

function importsOf(path: string): Import[] {
  const text = readFileSync(join(root, path), 'utf8');
  const pattern = /^(?:import|export)\s+(type\s+)?[^;]*?from\s+'(\.[^']+)'/gms;
  const dynamic = /import\(\s*'(\.[^']+)'\s*\)/g;
  const target = (specifier: string) => relative(root, resolve(root, dirname(path), specifier));
  return [
    ...[...text.matchAll(pattern)].map((m) => ({
      from: path,
      to: target(m[2] as string),
      typeOnly: m[1] !== undefined,
    })),
    ...[...text.matchAll(dynamic)].map((m) => ({
      from: path,
      to: target(m[1] as string),
      typeOnly: false,
    })),
  ];
}

const sources = filesBelow('src', /\.ts$/);
const imports = [...sources, ...filesBelow('scripts', /\.ts$/)].flatMap(importsOf);

t.test('every folder is known', async (t) => {
  const strangers = sources.map(folderOf).filter((room) => RANK[room] === undefined);
  t.strictSame(
    strangers,
    [],
    'a new folder needs a rank in this test and a line in ARCHITECTURE.md',
  );
});

t.test('imports point downwards', async (t) => {
  t.ok(imports.length > 20, 'the imports were found at all');
  const upward = imports.filter(({ from, to, typeOnly }) => {
    const [here, there] = [folderOf(from), folderOf(to)];
    if (here === there) return false;
    const difference = (RANK[here] ?? 99) - (RANK[there] ?? 99);
    return difference < 0 || (difference === 0 && !typeOnly);
  });
  t.strictSame(
    upward.map(({ from, to }) => `${from} → ${to}`),
    [],
  );
});

t.test('the command line uses what every user can use', async (t) => {
  const deep = imports
    .filter(({ from, to }) => /^(scripts|src\/cli)\//.test(from) && to.startsWith('src/'))
    .filter(({ to }) => to !== 'src/index.js' && !to.startsWith('src/cli/'));
  t.strictSame(
    deep.map(({ from, to }) => `${from} → ${to}`),
    [],
  );
});

t.test('folders form no circle', async (t) => {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    if (folderOf(from) === folderOf(to)) continue;
    next.set(folderOf(from), (next.get(folderOf(from)) ?? new Set()).add(folderOf(to)));
  }
  const circles: string[] = [];
  const walk = (room: string, path: string[]): void => {
    if (path.includes(room)) circles.push([...path.slice(path.indexOf(room)), room].join(' → '));
    else for (const other of next.get(room) ?? []) walk(other, [...path, room]);
  };
  for (const room of next.keys()) walk(room, []);
  t.strictSame([...new Set(circles)], []);
});

t.test('files form no circle', async (t) => {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) {
    const target = to.replace(/js$/, 'ts');
    next.set(from, [...(next.get(from) ?? []), target]);
  }
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
    else if (!done.has(file))
      for (const other of next.get(file) ?? []) walk(other, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) walk(file, []);
  t.strictSame(
    circles.filter((circle) => !circle.startsWith('src/query/execute/')),
    [],
  );
});

/** Parts of src/indexer, the lowest first; those of one rank do not know each other. */
const INDEXER: Record<string, number> = {
  settings: 0,
  sources: 1,
  plan: 2,
  rows: 3,
  commit: 4,
  images: 5,
  vectors: 5,
  'build-index': 6,
};

t.test('the folders of the indexer form a line', async (t) => {
  const partOf = (path: string): string =>
    /^src\/indexer\/(\w+)\//.exec(path)?.[1] ?? 'build-index';
  const inside = imports.filter(
    ({ from, to }) => from.startsWith('src/indexer/') && to.startsWith('src/indexer/'),
  );
  t.ok(inside.length > 50, 'the imports were found at all');
  const backward = inside.filter(({ from, to }) => {
    const [here, there] = [partOf(from), partOf(to)];
    return here !== there && !((INDEXER[here] ?? -1) > (INDEXER[there] ?? 99));
  });
  t.strictSame(
    backward.map(({ from, to }) => `${from} → ${to}`),
    [],
  );
});

t.test('no file outgrows its reader', async (t) => {
  const limit = 450;
  const code = [
    ...sources,
    ...filesBelow('scripts', /\.ts$/),
    ...filesBelow('bench', /\.ts$/),
    ...filesBelow('native-bindings/src', /\.(h|cc)$/),
  ];
  const long = code
    .map((path) => ({ path, lines: readFileSync(join(root, path), 'utf8').split('\n').length }))
    .filter(({ lines }) => lines > limit);
  t.strictSame(long, []);
});

/** Floors of native code, the lowest first: an include never names a later one. */
const FLOORS = [
  'base',
  'io',
  'simd',
  'linalg',
  'codec/format',
  'codec/lists',
  'codec/encode',
  'codec/train',
  'codec/query',
  'segment',
  'search',
  'napi',
];
const NATIVE = 'native-bindings/src';

function floorOf(path: string): number {
  return FLOORS.findIndex((floor) => path.startsWith(`${floor}/`));
}

t.test('includes point downwards', async (t) => {
  const includes = filesBelow(NATIVE, /\.(h|cc)$/).flatMap((path) =>
    [...readFileSync(join(root, path), 'utf8').matchAll(/^#include "([^"]+)"/gm)].map((m) => ({
      from: relative(NATIVE, path),
      to: m[1] as string,
    })),
  );
  t.ok(includes.length > 100, 'the includes were found at all');
  const missing = includes.filter(({ to }) => !existsSync(join(root, NATIVE, to)));
  t.strictSame(missing, [], 'includes are named from native-bindings/src on');
  const upward = includes
    .filter(({ from }) => from !== 'addon.cc')
    .filter(({ from, to }) => floorOf(from) < floorOf(to) || floorOf(to) < 0);
  t.strictSame(
    upward.map(({ from, to }) => `${from} → ${to}`),
    [],
  );
});

t.test('native code meets Node in one folder', async (t) => {
  const strangers = filesBelow('native-bindings/src', /\.(h|cc)$/)
    .filter((path) => !path.startsWith('native-bindings/src/napi/'))
    .filter((path) => path !== 'native-bindings/src/addon.cc')
    .filter((path) => /#include [<"]napi\.h/.test(readFileSync(join(root, path), 'utf8')));
  t.strictSame(strangers, []);
});
