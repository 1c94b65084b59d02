// Gets a model from its hub, in a child process that lives for this alone. Only openClip starts it,
// and only when the user has asked for it.
//
// The model is gathered in a folder of its own and renamed into place when it is whole, so that
// a download that was broken off is never taken for a model.
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { serve } from './child.js';
import type { ModelPlace } from './model-files.js';

async function download({ root, name }: ModelPlace): Promise<void> {
  // Imported here, so that a failure is that of the task and not of the process.
  const hub = await import('@xenova/transformers');
  mkdirSync(root, { recursive: true });
  const gathering = mkdtempSync(join(root, '.download-'));
  try {
    hub.env.cacheDir = gathering;
    hub.env.allowLocalModels = false;
    hub.env.allowRemoteModels = true;
    // As the hub's own tools have it: a mirror inside a company, say.
    const mirror = process.env.HF_ENDPOINT;
    if (mirror) hub.env.remoteHost = mirror.endsWith('/') ? mirror : `${mirror}/`;
    // Loading is the library's only public way to download; the processor is wanted for its file.
    await Promise.all([
      hub.AutoProcessor.from_pretrained(name),
      hub.AutoTokenizer.from_pretrained(name),
      hub.CLIPTextModelWithProjection.from_pretrained(name),
      hub.CLIPVisionModelWithProjection.from_pretrained(name),
    ]);
    const place = join(root, name);
    mkdirSync(dirname(place), { recursive: true });
    rmSync(place, { recursive: true, force: true });
    renameSync(join(gathering, name), place);
  } finally {
    rmSync(gathering, { recursive: true, force: true });
  }
}

serve(download);
