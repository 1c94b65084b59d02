// Verification: a sound index is called sound, and every fault is named.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { CATALOG_NAME } from '../../src/store/index-folder.js';
import { verifyIndex } from '../../src/store/verify.js';
import { makeIndex } from './fixture.js';

const ROWS = 150;
const folder = t.testdir();
const sound = join(folder, 'sound.corvid');
await makeIndex(sound, ROWS, { removed: [7, 8, 30] });

/** A copy of the sound index to damage. */
function copy(name: string): string {
  const path = join(folder, `${name}.corvid`);
  cpSync(sound, path, { recursive: true });
  return path;
}

function flip(path: string, byte: number): void {
  const file = readFileSync(path);
  file[byte] = (file[byte] as number) ^ 4;
  writeFileSync(path, file);
}

function sql(index: string, statement: string): void {
  const database = new Database(join(index, CATALOG_NAME));
  database.exec(statement);
  database.close();
}

const codecPath = (index: string): string =>
  join(index, readdirSync(index).find((name) => name.startsWith('codec-')) as string);

const segmentPath = (index: string, name: string): string =>
  join(index, 'segments', readdirSync(join(index, 'segments'))[0] as string, name);

t.test('a sound index has no faults', async (t) => {
  const report = await verifyIndex(sound);
  t.strictSame(report.faults, []);
  t.match(report, { files: 7, rows: ROWS });
  t.ok(report.bytes > ROWS * (8 + 9 + 4 + 128));
  const bare = join(folder, 'bare.corvid');
  await makeIndex(bare, 40, { hasItems: false });
  t.match(await verifyIndex(bare), { faults: [], rows: 40 });
});

t.test('every damaged file is named, each once', async (t) => {
  const index = copy('damaged');
  const paths = [
    codecPath(index),
    ...['plane-64.bin', 'rows.bin'].map((n) => segmentPath(index, n)),
  ];
  for (const path of paths) flip(path, readFileSync(path).length - 30);
  const { faults } = await verifyIndex(index);
  // A segment stops at its first fault.
  t.match(faults, [{ code: 'ERR_FORMAT_CORRUPT', path: paths[0] }, { path: paths[1] }]);
  t.equal(faults.length, 2);
});

t.test('a missing file and a missing segment are faults', async (t) => {
  const index = copy('missing');
  rmSync(codecPath(index));
  const missing = await verifyIndex(index);
  t.match(missing.faults, [
    { code: 'ERR_NOT_FOUND', path: codecPath(sound).replace('sound', 'missing') },
    {},
  ]);
  const hollow = copy('hollow');
  rmSync(join(hollow, 'segments'), { recursive: true });
  t.match((await verifyIndex(hollow)).faults, [{ code: 'ERR_NOT_FOUND' }]);
});

t.test('catalog and segments are compared', async (t) => {
  const cases: [string, string, RegExp[]][] = [
    [
      'lost',
      `INSERT INTO item (id, key) VALUES (${ROWS}, 'x');
      UPDATE setting SET value = '${ROWS + 1}' WHERE name = 'nextId'`,
      [/without a row/],
    ],
    [
      'unknown',
      'DELETE FROM item WHERE id IN (3, 4)',
      [/not in the catalog/, /not in the catalog/],
    ],
    ['forgotten', 'DELETE FROM removed', [/not in the catalog/, /not in the catalog/, /not in/]],
    ['other', `UPDATE segment SET rows = ${ROWS - 1}`, [/segment differs from its record/]],
    ['many', 'DELETE FROM item', Array(10).fill(/not in the catalog/)],
  ];
  for (const [name, statement, messages] of cases) {
    const index = copy(name);
    sql(index, statement);
    const { faults } = await verifyIndex(index);
    t.equal(faults.length, messages.length, name);
    for (const [i, message] of messages.entries()) {
      t.match(faults[i], { code: 'ERR_FORMAT_CORRUPT', message }, name);
    }
  }
});

t.test('the routing graph is compared with its checksum', async (t) => {
  const index = copy('routed');
  const record = JSON.stringify({ name: 'routing-000009.hnsw', bytes: 9, crc32c: 0xe3069283 });
  sql(index, `UPDATE setting SET value = '${record}' WHERE name = 'routing'`);
  writeFileSync(join(index, 'routing-000009.hnsw'), '123456789');
  t.match(await verifyIndex(index), { faults: [], files: 8 });
  writeFileSync(join(index, 'routing-000009.hnsw'), '123456780');
  t.match((await verifyIndex(index)).faults, [
    { code: 'ERR_FORMAT_CORRUPT', path: join(index, 'routing-000009.hnsw') },
  ]);
});

t.test('verification can be aborted', async (t) => {
  await t.rejects(verifyIndex(sound, AbortSignal.abort()), { code: 'ERR_ABORTED' });
});
