// Builds the index of the synthetic rows, in a process of its own.
import { buildIndex } from '../../src/index.js';
import { syntheticTable } from './collection.js';
import { accountOfProcess, answerJob, type BuildJob, type BuildReport, tell } from './job.js';

answerJob<{ kind: 'build'; job: BuildJob }>(async (job): Promise<BuildReport> => {
  const summary = await buildIndex({
    sources: [syntheticTable(job.seed, job.rows)],
    out: job.out,
    vectors: 'none',
    levels: job.levels,
    lists: job.lists,
    memoryBytes: job.memoryBytes,
    seed: job.seed,
    onProgress: (progress) => tell({ kind: 'progress', progress }),
  });
  return { summary, process: accountOfProcess() };
});
