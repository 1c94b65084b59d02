// Checks that an encoder is the one that an index was built with.
import { CorvidError } from '../errors.js';
import type { EncoderFingerprint } from './embedder.js';

/**
 * Refuses an encoder whose embeddings are not comparable with those of the index.
 * @param stored the index's fingerprint; null for an index of bare vectors, which accepts any
 * @throws CorvidError ERR_ENCODER_MISMATCH, which names both
 */
export function assertSameEncoder(
  stored: EncoderFingerprint | null,
  found: EncoderFingerprint,
): void {
  if (stored === null || stored.id === found.id) return;
  throw new CorvidError('ERR_ENCODER_MISMATCH', 'the index was built with another encoder', {
    expected: describe(stored),
    actual: describe(found),
    hint: `use ${stored.model}, or build another index with ${found.model}`,
  });
}

/** Two encoders may share a name, so the fingerprint is shown too. */
function describe({ model, id, dims }: EncoderFingerprint): string {
  return `${model} [${id.slice(0, 12)}, ${dims} dimensions]`;
}
