// The codec of a build suits the size of the collection and the memory allowed.
import t from 'tap';
import { chooseForBuild, listFindingBytes } from '../../../src/indexer/plan/choice.js';
import { estimateBuild } from '../../../src/indexer/plan/estimate.js';

const GB = 1e9;
const choose = (rows: number, memoryBytes: number) =>
  chooseForBuild(rows, 512, {
    levels: undefined,
    lists: undefined,
    groups: undefined,
    memoryBytes,
  });

t.test('collections get more lists as they grow, found among more rows', async (t) => {
  t.match(choose(500, GB), { method: 'rotation', lists: 1, listRows: 0 });
  t.match(choose(100_000, GB), { method: 'trained', listRows: 0, trainingRows: 100_000 });
  const large = choose(1e9, 6 * GB);
  t.equal(large.lists, 2 ** 18);
  t.ok(large.listRows >= 8 * large.lists, `${large.listRows} rows`);
  t.ok(large.trainingRows > 100_000);
});

t.test('what training takes stays within the memory allowed', async (t) => {
  for (const memoryBytes of [0.25 * GB, GB, 2 * GB, 6 * GB]) {
    for (const rows of [1e5, 1e6, 1e7, 1e8, 1e9]) {
      const { lists, listRows, trainingRows, levels } = choose(rows, memoryBytes);
      const shape = { rows, dims: 512, levels, vectors: false, items: 0, journaled: 0 };
      const estimate = estimateBuild({ ...shape, lists, listRows, trainingRows });
      const most = memoryBytes + 96 * 2 ** 20;
      t.ok(estimate.memoryBytes <= most, `${rows} rows: ${estimate.memoryBytes} of ${memoryBytes}`);
      t.ok(listRows === 0 || listFindingBytes(listRows, lists, 512) <= memoryBytes);
    }
  }
});
