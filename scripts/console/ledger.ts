// What is in an index, and what every structure of it costs.
import Table from 'cli-table3';
import type { IndexInfo } from '../../src/index.js';
import { bytes, count, plural } from './numbers.js';

const PLAIN_FRAME = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '  ',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** `47,307 images · CLIP ViT-B/32 · 64–512 bits` */
export function headline(info: IndexInfo): string {
  const { images, encoder, levels } = info;
  const first = levels[0] ?? 0;
  const last = levels.at(-1) ?? 0;
  return [
    plural(images, 'image'),
    encoder?.model ?? 'no encoder',
    first === last ? `${first} bits` : `${first}–${last} bits`,
  ].join(' · ');
}

export function infoLines(info: IndexInfo): string[] {
  const { codec, encoder, missingLevels, segments, vectors } = info;
  const kind =
    codec.method === 'rotation'
      ? 'random rotation, untrained (a small collection)'
      : `trained on ${count(codec.trainingRows)} rows: ${plural(codec.lists, 'list')}, ` +
        plural(codec.groups, 'group');
  return [
    `${info.path}`,
    `  contents   ${headline(info)}, ${info.dims} dimensions, ${plural(segments, 'segment')}`,
    `  encoder    ${encoder === null ? 'none: the index was made from vectors' : encoder.model}`,
    ...(encoder === null ? [] : [`             ${encoder.preprocessing}`]),
    `  codec      ${kind}`,
    `  vectors    ${vectors ? 'int8, kept for nearly exact scores' : 'not kept'}`,
    ...(missingLevels.length === 0
      ? []
      : [
          `  missing    planes of ${missingLevels.join(', ')} bits: scores are a little less precise`,
        ]),
    '',
    ...ledgerTable(info).split('\n'),
  ];
}

function ledgerTable({ ledger, images }: IndexInfo): string {
  const table = new Table({
    head: ['', 'resident', 'a row', 'on disk', 'a row'],
    chars: PLAIN_FRAME,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: ['left', 'right', 'right', 'right', 'right'],
  });
  const row = (name: string, resident: number, disk: number) => [
    name,
    bytes(resident),
    perRow(resident, images),
    bytes(disk),
    perRow(disk, images),
  ];
  for (const { name, residentBytes, diskBytes } of ledger) {
    table.push(row(name, residentBytes, diskBytes));
  }
  const total = (field: 'residentBytes' | 'diskBytes') =>
    ledger.reduce((sum, entry) => sum + entry[field], 0);
  table.push(row('all', total('residentBytes'), total('diskBytes')));
  return table.toString();
}

function perRow(value: number, images: number): string {
  return images === 0 ? '–' : (value / images).toFixed(2);
}
