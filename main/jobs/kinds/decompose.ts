/** Spectra, delta sigma and principal angles of the pairs of checkpoints that a study compares. */
import type { Comparison, MatrixName, SeedResult, StudyCheckpoint } from '../../contract/studyResult.ts';
import { decomposeRequestSchema } from '../../contract/requests.ts';
import { CheckpointDecompositions } from '../../ml/spectral/checkpointDecompositions.ts';
import { compareCheckpoints } from '../../ml/spectral/compareMatrices.ts';
import { targetWeights } from '../../ml/spectral/targetWeights.ts';
import type { JobContext } from '../jobContext.ts';
import { readWeights } from './checkpointFolders.ts';

/** [reference, target]: what SFT did, what it did after the peak, what RL did, and both together. */
const pairs: [StudyCheckpoint, StudyCheckpoint][] = [
  ['base', 'end'],
  ['peak', 'end'],
  ['end', 'rlEnd'],
  ['base', 'rlEnd'],
];

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Means over the layers, one row a matrix type. */
function summarise({ reference, target, matrices }: Comparison): SeedResult['spectra'] {
  const types = [...new Set(matrices.map(({ matrix }) => matrix))];
  return types.map((matrix: MatrixName) => {
    const rows = matrices.filter((row) => row.matrix === matrix);
    const changes = rows.map(({ sReference, sTarget }) => sTarget.map((s, i) => Math.abs(s - sReference[i]!)));
    return {
      reference,
      target,
      matrix,
      meanAbsDeltaSigmaRatio: mean(rows.map(({ sReference }, i) => mean(changes[i]!) / mean(sReference))),
      maxAbsDeltaSigma: Math.max(...changes.flat()),
      meanLeftAngleRad: mean(rows.map(({ angles }) => mean(angles.leftRad))),
      meanRightAngleRad: mean(rows.map(({ angles }) => mean(angles.rightRad))),
      nullAngleRad: mean(rows.map(({ angles }) => mean([...angles.leftNullRad, ...angles.rightNullRad]))),
      relativeChange: mean(rows.map(({ relativeChange }) => relativeChange)),
    };
  });
}

export async function kind(context: JobContext): Promise<{ spectra: SeedResult['spectra'] }> {
  const { seed, ablation, checkpoints } = decomposeRequestSchema.parse(context.request);
  const decompositions = new Map<StudyCheckpoint, CheckpointDecompositions>();
  for (const name of new Set(pairs.flat())) {
    const { weights } = await readWeights(checkpoints[name]);
    const decomposed = new CheckpointDecompositions(weights);
    const names = targetWeights(weights, { matrices: ablation.matrices }).map((weight) => weight.name);
    await decomposed.prepare(names, {
      signal: context.signal,
      onDecomposed: (done, total) => {
        context.emit({ type: 'progress', done: decompositions.size * total + done, total: 4 * total + pairs.length, text: `SVD of ${name}` }); // prettier-ignore
      },
    });
    decompositions.set(name, decomposed);
  }
  const spectra: SeedResult['spectra'] = [];
  for (const [reference, target] of pairs) {
    context.signal.throwIfAborted();
    const matrices = compareCheckpoints(decompositions.get(reference)!, decompositions.get(target)!, {
      matrices: ablation.matrices,
      angleRankShare: ablation.angleRankShare,
      angleNullDraws: ablation.angleNullDraws,
      seed,
    });
    const comparison: Comparison = { reference, target, matrices };
    context.emit({ type: 'comparison', comparison });
    spectra.push(...summarise(comparison));
  }
  return { spectra };
}
