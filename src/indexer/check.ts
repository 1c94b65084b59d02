// Whether what a caller asks fits the index that there is.
import { join } from 'node:path';
import { openCodec } from '../codec/codec.js';
import { CorvidError } from '../errors.js';
import type { Catalog } from '../store/catalog.js';
import type { BuildRecord } from './context.js';
import type { Settings } from './options.js';

/** Throws ERR_INDEX_EXISTS if the options contradict what the index is. */
export function checkAgainst(
  catalog: Catalog,
  kind: BuildRecord['kind'],
  settings: Settings,
): void {
  const { build, vectors, codec } = catalog.settings();
  if (codec === null) return;
  const contradiction = (what: string, expected: string, actual: string) =>
    new CorvidError('ERR_INDEX_EXISTS', what, {
      path: settings.out,
      expected,
      actual,
      hint: 'build another index, or leave the option out',
    });
  const { kind: indexKind } = build as BuildRecord;
  if (indexKind !== kind) {
    throw contradiction('this index is of another kind', indexKind, kind);
  }
  const wanted = settings.vectors;
  if (wanted !== 'auto' && (wanted === 'int8') !== vectors) {
    throw contradiction(
      'vectors are kept or not for all images',
      vectors ? 'int8' : 'none',
      wanted,
    );
  }
  if (settings.levels === undefined) return;
  const { levels } = openCodec(join(settings.out, codec.name)).info();
  if (levels.join() !== settings.levels.join()) {
    throw contradiction('this index has other levels', levels.join(), settings.levels.join());
  }
}
