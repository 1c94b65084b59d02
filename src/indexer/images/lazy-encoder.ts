// The encoder of a build: opened when the first image needs it, checked against the index.
import { openClip } from '../../embed/clip.js';
import type { Embedder, EncoderFingerprint } from '../../embed/embedder.js';
import { assertSameEncoder } from '../../embed/fingerprint.js';
import type { Catalog } from '../../store/catalog.js';
import type { BuildSettings } from '../settings/settings.js';

export class LazyEncoder {
  #opened: Promise<Embedder> | null = null;

  constructor(
    private readonly settings: BuildSettings,
    private readonly catalog: Catalog | null,
  ) {}

  /** Whether the caller named one. */
  get isNamed(): boolean {
    return this.settings.embedder !== undefined || this.settings.model !== undefined;
  }

  open(): Promise<Embedder> {
    this.#opened ??= this.#openAndCheck();
    return this.#opened;
  }

  async #openAndCheck(): Promise<Embedder> {
    const { embedder, model, maxPixels, maxFileBytes } = this.settings;
    const limits = { maxPixels, maxFileBytes };
    const stored = this.catalog?.settings().encoder as EncoderFingerprint | null | undefined;
    const opened =
      embedder ??
      // Only a model that the caller names may be downloaded.
      (await openClip(model ?? stored?.model, { allowDownload: model !== undefined, limits }));
    assertSameEncoder(stored ?? null, opened.fingerprint);
    return opened;
  }

  /** Closes an encoder that was opened here; one that the caller gave stays open. */
  async close(): Promise<void> {
    if (this.settings.embedder !== undefined) return;
    // One that could not be opened has thrown already, in `open`.
    await this.#opened?.then(
      (embedder) => embedder.close(),
      () => {},
    );
  }
}
