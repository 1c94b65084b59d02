// The floors of native code: includes point downwards, and Node's headers stay in one folder.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { circles, filesBelow, includes, NATIVE, read, root, shown } from './tree.js';

/** Floors of native code, the lowest first: an include never names a later one. */
const FLOORS = [
  'base',
  'simd',
  'io',
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

/** Registers the classes of napi/ with Node, and belongs to no floor. */
const ENTRY_POINT = 'addon.cc';

function floorOf(path: string): number {
  return FLOORS.findIndex((floor) => path.startsWith(`${floor}/`));
}

const edges = includes();

t.test('every file lies on a floor', async (t) => {
  const files = filesBelow(NATIVE, /\.(h|cc)$/).map((path) => path.slice(NATIVE.length + 1));
  t.strictSame(
    files.filter((path) => path !== ENTRY_POINT && floorOf(path) < 0),
    [],
    'a new folder needs a floor in this test',
  );
});

t.test('includes point downwards', async (t) => {
  t.ok(edges.length > 100, 'the includes were found at all');
  const missing = edges.filter(({ to }) => !existsSync(join(root, NATIVE, to)));
  t.strictSame(missing, [], 'includes are named from native-bindings/src on');
  const upward = edges
    .filter(({ from }) => from !== ENTRY_POINT)
    .filter(({ from, to }) => floorOf(from) < floorOf(to) || floorOf(to) < 0);
  t.strictSame(shown(upward), []);
});

t.test('no headers include each other in a circle', async (t) => {
  t.strictSame(circles(edges), []);
});

t.test('native code meets Node in one folder', async (t) => {
  const strangers = filesBelow(NATIVE, /\.(h|cc)$/)
    .filter((path) => !path.startsWith(`${NATIVE}/napi/`))
    .filter((path) => path !== `${NATIVE}/${ENTRY_POINT}`)
    .filter((path) => /#include [<"](napi|node_api)\.h/.test(read(path)));
  t.strictSame(strangers, []);
});

t.test('instruction sets are chosen by the dispatcher alone', async (t) => {
  const clones = filesBelow('native-bindings', /\.(h|cc)$/)
    // Clones made by the compiler do not obey CORVID_SIMD, so no test would see each of them.
    .filter((path) => /target_clones/.test(read(path)));
  t.strictSame(clones, []);
});
