// Builds the index of the synthetic rows in a separate process, and finds the rows nearest to the
// queries while it reads them.
import { buildIndex } from '../../src/index.js';
import { syntheticTable } from './collection.js';
import { GroundTruthFile } from './ground-truth.js';
import { accountOfProcess, answerJob, type BuildJob, type BuildReport, send } from './job.js';

answerJob<{ kind: 'build'; job: BuildJob }>(async (job): Promise<BuildReport> => {
  const truth = new GroundTruthFile(job.truth.path, job.seed, job.truth.queries, job.truth.count);
  // Not while the build samples: scattered rows would leave countless spans, and they come again.
  let encoding = false;
  const compare = async (first: number, halves: Uint16Array) => {
    if (encoding) await truth.add(first, halves);
  };
  const summary = await buildIndex({
    sources: [syntheticTable(job.seed, job.rows, compare)],
    out: job.out,
    vectors: 'none',
    levels: job.levels,
    lists: job.lists,
    memoryBytes: job.memoryBytes,
    seed: job.seed,
    onProgress: (progress) => {
      encoding = progress.phase === 'encode';
      send({ kind: 'progress', progress });
    },
  });
  truth.save();
  return { summary, process: accountOfProcess() };
});
