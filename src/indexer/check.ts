// Whether the options of a build fit the index that exists.
import { join } from 'node:path';
import { openCodec } from '../codec/codec.js';
import { CorvidError } from '../errors.js';
import type { Catalog } from '../store/catalog.js';
import { type BuildRecord, buildRecordOf } from './plan/build-record.js';
import type { BuildSettings } from './settings/settings.js';

/** Throws ERR_INDEX_EXISTS if the options contradict what the index is. */
export function checkAgainstIndex(
  catalog: Catalog,
  kind: BuildRecord['kind'],
  settings: BuildSettings,
): void {
  const indexSettings = catalog.settings();
  const { vectors, codec } = indexSettings;
  if (codec === null) return;
  const contradiction = (what: string, expected: string, actual: string) =>
    new CorvidError('ERR_INDEX_EXISTS', what, {
      path: settings.out,
      expected,
      actual,
      hint: 'build another index, or omit the option',
    });
  const indexKind = buildRecordOf(indexSettings)?.kind ?? kind;
  if (indexKind !== kind) {
    throw contradiction('this index is of another kind', indexKind, kind);
  }
  const asked = settings.vectors;
  if (asked !== 'auto' && (asked === 'int8') !== vectors) {
    const kept = vectors ? 'int8' : 'none';
    throw contradiction('vectors are stored for all rows or for none', kept, asked);
  }
  if (settings.levels === undefined) return;
  const { levels } = openCodec(join(settings.out, codec.name)).info();
  if (levels.join() !== settings.levels.join()) {
    throw contradiction('this index has other levels', levels.join(), settings.levels.join());
  }
}
