// FORMAT.md against the code: its tables and the structs say the same, byte by byte.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import t from 'tap';
import { Catalog } from '../../src/store/catalog.js';
import { APPLICATION_ID, SCHEMA_VERSION_CURRENT } from '../../src/store/catalog-schema.js';
import { CatalogWriter } from '../../src/store/catalog-writer.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const document = readFileSync(join(root, 'FORMAT.md'), 'utf8');
const headers = ['io/format.h', 'simd/loops.h', 'codec/format/layout.h']
  .map((name) => readFileSync(join(root, 'native-bindings', 'src', name), 'utf8'))
  .join('\n');

interface Field {
  offset: number;
  type: string;
  field: string;
}

const SIZES: Record<string, number> = { u8: 1, i8: 1, u16: 2, u32: 4, f32: 4, u64: 8 };
const C_TYPES: Record<string, string> = {
  uint8_t: 'u8',
  int8_t: 'i8',
  uint16_t: 'u16',
  uint32_t: 'u32',
  uint64_t: 'u64',
  float: 'f32',
};

/** Rows of the first table below a heading, without its head, split into cells. */
function tableBelow(heading: string): string[][] {
  const start = document.indexOf(`\n${heading}\n`);
  if (start < 0) return [];
  const lines = document.slice(start + heading.length + 2).split('\n');
  const first = lines.findIndex((line) => line.startsWith('|'));
  const rows = lines.slice(first, first + lines.slice(first).findIndex((l) => !l.startsWith('|')));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function documented(name: string): Field[] {
  return tableBelow(`### ${name}`).map(([offset, type, field]) => ({
    offset: Number(offset),
    type: type as string,
    field: field as string,
  }));
}

/** Fields of a struct of the headers, with the offsets that a struct without padding has. */
function declared(name: string): Field[] {
  const body = new RegExp(`struct ${name} \\{\\n([^]*?)\\n\\};`).exec(headers)?.[1] ?? '';
  let offset = 0;
  return body.split('\n').flatMap((line) => {
    const match = /^\s*(\w+) (\w+)(?:\[(\w+)\])?;/.exec(line);
    if (match === null) return [];
    const [, cType = '', field = '', count] = match;
    const element = C_TYPES[cType] ?? cType;
    const length = count === undefined ? 1 : constantOf(count);
    const at = offset;
    offset += (SIZES[element] ?? sizeOf(element)) * length;
    return [{ offset: at, type: count === undefined ? element : `${element}[${length}]`, field }];
  });
}

/** The value of a number or of a constant of the headers. */
function constantOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  if (text === 'kLevelCount') return 4;
  return Number(new RegExp(`constexpr \\w+ ${text} = (\\d+);`).exec(headers)?.[1]);
}

/** What the static_assert beside a struct says of its size. */
const sizeOf = (name: string): number =>
  Number(new RegExp(`sizeof\\(${name}\\) == (\\d+)`).exec(headers)?.[1] ?? Number.NaN);

for (const name of [
  'FileHeader',
  'SegmentHead',
  'CodecHead',
  'CodecLevel',
  'CodedCoordinate',
  'ListRecord',
]) {
  t.test(`FORMAT.md has every byte of ${name}`, async (t) => {
    const fields = declared(name);
    t.ok(fields.length > 3, 'the struct was found');
    t.strictSame(documented(name), fields);
  });
}

t.test('the assertions on sizes name the sum of the fields', async (t) => {
  const last = (fields: Field[]) => {
    const { offset, type } = fields.at(-1) as Field;
    const [, element = '', count = '1'] = /^(\w+)(?:\[(\d+)\])?$/.exec(type) ?? [];
    return offset + (SIZES[element] ?? Number.NaN) * Number(count);
  };
  t.equal(last(declared('FileHeader')), 64);
  t.equal(last(declared('SegmentHead')), 64);
  t.equal(last(declared('CodecHead')), sizeOf('CodecHead'));
  t.equal(last(declared('CodecLevel')), sizeOf('CodecLevel'));
  t.equal(last(declared('CodedCoordinate')), sizeOf('CodedCoordinate'));
  t.equal(last(declared('ListRecord')), sizeOf('ListRecord'));
});

t.test('FORMAT.md has every table, column and setting of the catalog', async (t) => {
  const path = join(t.testdir(), 'catalog.sqlite');
  CatalogWriter.create(path, {
    writtenBy: '0',
    dims: 8,
    encoder: null,
    vectors: false,
    hasItems: true,
    nextId: 0,
    recallCard: null,
    build: null,
  }).close();
  const database = new Database(path, { readonly: true });
  const names = database
    .prepare(`SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY rowid`)
    .pluck()
    .all() as string[];
  const columns = names.map((name) => [
    name,
    (database.pragma(`table_info(${name})`) as { name: string }[]).map((c) => c.name).join(', '),
  ]);
  database.close();
  const heading = '## 5. The catalog';
  t.strictSame(
    tableBelow(heading).map((row) => row.slice(0, 2)),
    columns,
  );
  t.match(document, `application_id ${APPLICATION_ID}`);
  t.match(document, `user_version ${SCHEMA_VERSION_CURRENT}`);
  const catalog = Catalog.open(path);
  const after = document.slice(document.indexOf('| setting | value |'));
  const settings = after.slice(0, after.indexOf('\n\n')).split('\n').slice(2);
  t.strictSame(
    settings.map((row) => row.split('|')[1]?.trim()).sort(),
    Object.keys(catalog.settings()).sort(),
  );
  catalog.close();
});
