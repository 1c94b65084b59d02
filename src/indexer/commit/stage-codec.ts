// Puts a trained codec, and its routing graph where it needs one, into staging for a commit.
//
// The graph of very many lists takes minutes to build. It is kept under the codec's name as soon as
// it is complete, so that a build that is interrupted later resumes with it.
import { existsSync, renameSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { saveCodec } from '../../codec/codec.js';
import { fromSystemError } from '../../errors.js';
import type { NativeCodec } from '../../native/addon.js';
import { buildRoutingGraph, needsRoutingGraph } from '../../query/routing/graph.js';
import { syncPath } from '../../store/files.js';
import type { Publication } from '../../store/index-folder.js';
import type { BuildContext } from '../settings/context.js';

export async function stageCodec(
  codec: NativeCodec,
  context: BuildContext,
): Promise<Pick<Publication, 'codec' | 'routing'>> {
  const { writer } = context;
  const { uuid, lists } = codec.info();
  const file = { ...writer.newCodec(), uuid };
  await saveCodec(codec, file.path);
  if (!needsRoutingGraph(lists)) return { codec: file, routing: null };
  const kept = await routingGraphOf(codec, context);
  const routing = writer.newRouting();
  try {
    await copyFile(kept, routing.path);
  } catch (error) {
    throw fromSystemError(error, routing.path, 'stage the routing graph');
  }
  return { codec: file, routing };
}

/** @returns the path of the complete graph in staging */
async function routingGraphOf(
  codec: NativeCodec,
  { writer, progress, settings: { signal } }: BuildContext,
): Promise<string> {
  const { uuid, lists } = codec.info();
  const path = join(writer.staging, `routing-of-${uuid}.hnsw`);
  if (existsSync(path)) return path;
  const unfinished = `${path}.part`;
  const onProgress = (done: number) => progress.update(done);
  await progress.during('route', lists, () =>
    buildRoutingGraph(codec, unfinished, { signal, onProgress }),
  );
  syncPath(unfinished);
  renameSync(unfinished, path);
  return path;
}
