// Formats what is in an index, and how many bytes each structure takes.
import Table from 'cli-table3';
import type { CodecInfo, IndexInfo } from '../../index.js';
import { bytes, count, plural } from './numbers.js';

/** A table without ruling lines. */
export const PLAIN_FRAME = {
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
  middle: '   ',
};

/** What the index counts: an index built from vectors has no images. */
export function nounOf({ encoder }: Pick<IndexInfo, 'encoder'>): string {
  return encoder === null ? 'vector' : 'image';
}

/** `47,307 images · CLIP ViT-B/32 · 64–512 bits` */
export function headline(info: IndexInfo): string {
  const { images, encoder, levels } = info;
  const first = levels[0] ?? 0;
  const last = levels.at(-1) ?? 0;
  return [
    plural(images, nounOf(info)),
    encoder?.model ?? 'no encoder',
    first === last ? `${first} bits` : `${first}–${last} bits`,
  ].join(' · ');
}

export function infoLines(info: IndexInfo): string[] {
  const { codec, encoder, segments, vectors } = info;
  const fact = (name: string, text: string) => `  ${name.padEnd(9)}  ${text}`;
  return [
    info.path,
    fact('contents', headline(info)),
    fact(
      'made by',
      `corvid ${info.writtenBy}: commit ${count(info.generation)}, ${plural(segments, 'segment')}, ` +
        `${count(info.dims)} dimensions`,
    ),
    fact('encoder', encoder === null ? 'none: the index was built from vectors' : encoder.model),
    ...(encoder === null
      ? []
      : [
          fact('', encoder.preprocessing),
          ...(encoder.weightsSha256 === null
            ? []
            : [fact('', `weights sha256 ${encoder.weightsSha256.slice(0, 16)}…`)]),
        ]),
    fact('codec', describeCodec(codec)),
    fact('vectors', vectors ? 'int8, stored for nearly exact scores' : 'not stored'),
    ...describeMissing(info).map((line) => fact('missing', line)),
    '',
    ...ledgerTable(info),
  ];
}

/** An index may be copied without longer planes or vectors: which are missing, and the effect. */
export function describeMissing({ missingLevels, missingVectors }: IndexInfo): string[] {
  const bits = `${missingLevels.join(', ')} bits: scores are a little less precise`;
  const vectors = 'int8 vectors: scores are those of the codes';
  return [...(missingLevels.length === 0 ? [] : [bits]), ...(missingVectors ? [vectors] : [])];
}

function describeCodec({ method, trainingRows, lists, groups }: CodecInfo): string {
  return method === 'rotation'
    ? 'random rotation, untrained: the collection is small'
    : `trained on ${plural(trainingRows, 'row')}: ${plural(lists, 'list')} in ` +
        plural(groups, 'group');
}

function ledgerTable(info: IndexInfo): string[] {
  const { ledger, images } = info;
  const noun = nounOf(info);
  const table = new Table({
    head: ['structure', 'resident', `B/${noun}`, 'on disk', `B/${noun}`],
    chars: PLAIN_FRAME,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: ['left', 'right', 'right', 'right', 'right'],
  });
  const row = (name: string, resident: number, disk: number) => [
    name,
    bytes(resident),
    each(resident, images),
    bytes(disk),
    each(disk, images),
  ];
  for (const { name, residentBytes, diskBytes } of ledger) {
    table.push(row(name, residentBytes, diskBytes));
  }
  const total = (field: 'residentBytes' | 'diskBytes') =>
    ledger.reduce((sum, entry) => sum + entry[field], 0);
  table.push(row('all', total('residentBytes'), total('diskBytes')));
  const lines = table.toString().split('\n');
  const rule = `  ${'─'.repeat(Math.max(...lines.map((line) => line.trimEnd().length)) - 2)}`;
  return [lines[0] as string, rule, ...lines.slice(1, -1), rule, lines.at(-1) as string];
}

function each(value: number, images: number): string {
  return images === 0 ? '–' : (value / images).toFixed(2);
}
