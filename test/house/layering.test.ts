// The layout of the house: imports point downwards, and no file outgrows its reader.
//
//   scripts, bench, test → index → packed → build → query → store, codec, partition, embed → native, option-names, errors
//
// Rooms of one rank do not know each other's values (types may be shared), and the rooms make no
// circle. Bench and test may reach into any room; scripts see the public index alone.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

const RANK: Record<string, number> = {
  errors: 0,
  native: 1,
  'option-names': 1,
  store: 2,
  codec: 2,
  partition: 2,
  embed: 2,
  query: 3,
  build: 4,
  packed: 5,
  index: 6,
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

/** The room a file belongs to: its folder below src, the bare name for src/*.ts, or `scripts`. */
function roomOf(path: string): string {
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

t.test('every room is known', async (t) => {
  const strangers = sources.map(roomOf).filter((room) => RANK[room] === undefined);
  t.strictSame(strangers, [], 'a new room needs a rank in this test and a line in ARCHITECTURE.md');
});

t.test('imports point downwards', async (t) => {
  t.ok(imports.length > 20, 'the imports were found at all');
  const upward = imports.filter(({ from, to, typeOnly }) => {
    const [here, there] = [roomOf(from), roomOf(to)];
    if (here === there) return false;
    const difference = (RANK[here] ?? 99) - (RANK[there] ?? 99);
    return difference < 0 || (difference === 0 && !typeOnly);
  });
  t.strictSame(
    upward.map(({ from, to }) => `${from} → ${to}`),
    [],
  );
});

t.test('scripts use what every user can use', async (t) => {
  const deep = imports
    .filter(({ from, to }) => from.startsWith('scripts/') && to.startsWith('src/'))
    .filter(({ to }) => to !== 'src/index.js');
  t.strictSame(
    deep.map(({ from, to }) => `${from} → ${to}`),
    [],
  );
});

t.test('rooms make no circle', async (t) => {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    if (roomOf(from) === roomOf(to)) continue;
    next.set(roomOf(from), (next.get(roomOf(from)) ?? new Set()).add(roomOf(to)));
  }
  const circles: string[] = [];
  const walk = (room: string, path: string[]): void => {
    if (path.includes(room)) circles.push([...path.slice(path.indexOf(room)), room].join(' → '));
    else for (const other of next.get(room) ?? []) walk(other, [...path, room]);
  };
  for (const room of next.keys()) walk(room, []);
  t.strictSame([...new Set(circles)], []);
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

t.test('native code meets Node in one room', async (t) => {
  const strangers = filesBelow('native-bindings/src', /\.(h|cc)$/)
    .filter((path) => !path.startsWith('native-bindings/src/napi/'))
    .filter((path) => path !== 'native-bindings/src/addon.cc')
    .filter((path) => /#include [<"]napi\.h/.test(readFileSync(join(root, path), 'utf8')));
  t.strictSame(strangers, []);
});
