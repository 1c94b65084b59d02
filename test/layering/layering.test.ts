// The layers of src: imports point downwards, and no files import each other in a circle.
//
//   scripts → cli → index → indexer → query, packed → store, codec, embed, formats → native, option-checks, errors
//
// The files and folders of query and indexer have an order of their own. Two parts of the same rank
// may share types but no values. Bench and test may import any file; the command line and the
// scripts only the public index.
import t from 'tap';
import { circles, filesBelow, importsOf, shown } from './tree.js';

/** Lowest first. */
const LAYERS = [
  ['errors'],
  ['native', 'option-checks'],
  ['formats', 'store', 'codec', 'embed'],
  ['query', 'packed'],
  ['indexer'],
  ['index'],
  ['cli'],
  ['scripts'],
];

/** The order inside a folder, lowest first: its files and folders. */
const INNER_LAYERS: Record<string, string[][]> = {
  query: [
    ['recall/recall-card'],
    ['types'],
    ['plan'],
    ['compose', 'routing', 'contents'],
    ['execute'],
    ['recall', 'info', 'verify'],
    ['search'],
    ['open'],
  ],
  indexer: [
    ['settings'],
    ['plan', 'sources', 'rows'],
    ['summary', 'check'],
    ['commit'],
    ['images'],
    ['vectors', 'removal'],
    ['dry-run'],
    ['build-index'],
  ],
};

/** `src/query/plan/filter.ts` → `query`; `scripts/demo.ts` → `scripts`. */
function partOf(path: string): string {
  const [top = '', second = ''] = path.replace(/\.ts$/, '').split('/');
  return top === 'src' ? second : top;
}

/** `src/query/plan/filter.ts` → `plan`: the first entry of the inner layers that covers the path. */
function innerPartOf(path: string): string | undefined {
  const part = partOf(path);
  const rest = path.replace(/\.ts$/, '').replace(`src/${part}/`, '');
  return INNER_LAYERS[part]?.flat().find((name) => rest === name || rest.startsWith(`${name}/`));
}

const rankIn = (layers: string[][], name: string | undefined) =>
  layers.findIndex((layer) => layer.some((entry) => entry === name));

/** How many layers an import goes down; negative if it goes up, undefined within one part. */
function descent(from: string, to: string): number | undefined {
  const [here, there] = [partOf(from), partOf(to)];
  if (here !== there) return rankIn(LAYERS, here) - rankIn(LAYERS, there);
  const layers = INNER_LAYERS[here];
  const [innerHere, innerThere] = [innerPartOf(from), innerPartOf(to)];
  if (layers === undefined || innerHere === innerThere) return undefined;
  return rankIn(layers, innerHere) - rankIn(layers, innerThere);
}

const sources = filesBelow('src', /\.ts$/);
const imports = [...sources, ...filesBelow('scripts', /\.ts$/)].flatMap(importsOf);

t.test('every file of src has a rank', async (t) => {
  const unknown = sources.filter(
    (path) =>
      rankIn(LAYERS, partOf(path)) < 0 ||
      (INNER_LAYERS[partOf(path)] !== undefined && innerPartOf(path) === undefined),
  );
  t.strictSame(unknown, [], 'a new folder needs a rank in this test');
});

t.test('every rank names something that exists', async (t) => {
  const known = new Set(sources.flatMap((path) => [partOf(path), innerPartOf(path)]));
  const names = [...LAYERS, ...Object.values(INNER_LAYERS).flat()].flat();
  t.strictSame(
    names.filter((name) => name !== 'scripts' && !known.has(name)),
    [],
  );
});

t.test('imports point downwards', async (t) => {
  t.ok(imports.length > 200, 'the imports were found at all');
  const upward = imports.filter(({ from, to, typeOnly }) => {
    const layers = descent(from, to);
    return layers !== undefined && (layers < 0 || (layers === 0 && !typeOnly));
  });
  t.strictSame(shown(upward), []);
});

t.test('no files import each other in a circle, not even for types', async (t) => {
  t.strictSame(circles(imports), []);
});

t.test('no folders import each other in a circle', async (t) => {
  const folders = imports
    .map(({ from, to }) => ({ from: partOf(from), to: partOf(to) }))
    .filter(({ from, to }) => from !== to);
  t.strictSame(circles(folders), []);
});

t.test('a circle is found', async (t) => {
  const edges = (...names: string[]) =>
    names.map((pair) => ({ from: pair[0] as string, to: pair[1] as string }));
  t.strictSame(circles(edges('ab', 'bc', 'ac', 'cd')), []);
  t.strictSame(circles(edges('ab', 'bc', 'cb')), ['b → c → b']);
  t.strictSame(circles(edges('ab', 'bc', 'cd', 'ca')), ['a → b → c → a']);
  t.strictSame(circles(edges('aa')), ['a → a']);
});

t.test('the command line uses what every user can use', async (t) => {
  const deep = imports
    .filter(({ from, to }) => /^(scripts|src\/cli)\//.test(from) && to.startsWith('src/'))
    .filter(({ to }) => to !== 'src/index.ts' && !to.startsWith('src/cli/'));
  t.strictSame(shown(deep), []);
});
