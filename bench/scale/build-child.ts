// Builds the index of the synthetic rows, in a process of its own, and finds on the way which rows
// are nearest to the queries.
import { buildIndex } from '../../src/index.js';
import { syntheticTable } from './collection.js';
import { accountOfProcess, answerJob, type BuildJob, type BuildReport, tell } from './job.js';
import { GroundTruthFile } from './truth.js';

answerJob<{ kind: 'build'; job: BuildJob }>(async (job): Promise<BuildReport> => {
  const truth = new GroundTruthFile(job.truth.path, job.seed, job.truth.queries, job.truth.count);
  // Of the rows that are only sampled, most come again: they would leave spans without number.
  let encoding = false;
  const show = async (first: number, halves: Uint16Array) => {
    if (encoding) await truth.add(first, halves);
  };
  const summary = await buildIndex({
    sources: [syntheticTable(job.seed, job.rows, show)],
    out: job.out,
    vectors: 'none',
    levels: job.levels,
    lists: job.lists,
    memoryBytes: job.memoryBytes,
    seed: job.seed,
    onProgress: (progress) => {
      encoding = progress.phase === 'encode';
      tell({ kind: 'progress', progress });
    },
  });
  truth.save();
  return { summary, process: accountOfProcess() };
});
