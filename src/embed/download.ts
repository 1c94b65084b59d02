// Downloads a model from its hub, in a child process used for nothing else. Only openClip starts it,
// and only when the user has asked for it.
//
// The model is downloaded to a temporary folder and renamed into place when it is complete, so that
// an interrupted download is never mistaken for a model.
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { serve } from './child.js';
import type { ModelPlace } from './model-files.js';

async function download({ root, name }: ModelPlace): Promise<void> {
  // Imported here, so that a failure rejects the task instead of ending the process.
  const hub = await import('@xenova/transformers');
  mkdirSync(root, { recursive: true });
  const partial = mkdtempSync(join(root, '.download-'));
  try {
    hub.env.cacheDir = partial;
    hub.env.allowLocalModels = false;
    hub.env.allowRemoteModels = true;
    // The hub's own tools read the same variable: a company may run a mirror.
    const mirror = process.env.HF_ENDPOINT;
    if (mirror) hub.env.remoteHost = mirror.endsWith('/') ? mirror : `${mirror}/`;
    // The library's only public way to download is to load; the processor is loaded for its file.
    await Promise.all([
      hub.AutoProcessor.from_pretrained(name),
      hub.AutoTokenizer.from_pretrained(name),
      hub.CLIPTextModelWithProjection.from_pretrained(name),
      hub.CLIPVisionModelWithProjection.from_pretrained(name),
    ]);
    const place = join(root, name);
    mkdirSync(dirname(place), { recursive: true });
    rmSync(place, { recursive: true, force: true });
    renameSync(join(partial, name), place);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

serve(download);
