/**
 * One run of a model in a process of its own, for `halfBillion.ts`: loads the checkpoint, then generates, trains or measures
 * its spectra, and prints times and peaks of memory as JSON. Arguments: folder, threads, and the run as JSON.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCompute } from '../../main/compute/compute.ts';
import { sftSettingsSchema, textRlSettingsSchema } from '../../main/contract/settings.ts';
import type { PlannedRun, PlannedTraining } from '../../main/ml/model/memoryEstimate.ts';
import { loadModel } from '../../main/ml/model/modelFolder.ts';
import { Philox } from '../../main/ml/random/philox.ts';
import { DecompositionCache } from '../../main/ml/spectral/decompositionCache.ts';
import { openTensorSource } from '../../main/ml/spectral/tensorSource.ts';
import { TextModel } from '../../main/ml/text/textModel.ts';
import { accumulatedUpdate } from '../../main/ml/training/accumulatedUpdate.ts';
import { miniatureAdamW } from '../../main/ml/training/adamW.ts';
import { rotationPenalty } from '../../main/ml/training/rotationPenalty.ts';
import { spectralDrift } from '../../main/ml/training/spectralDrift.ts';
import { openLearner } from '../../main/ml/training/textRl.ts';
import { textRlUpdate } from '../../main/ml/training/textRlUpdate.ts';

/** `drift`: stable rank and rotation, of the start too the first time. */
export type ModelRun = PlannedRun | { kind: 'drift' };

export interface ModelRunResult {
  /** Bytes resident before the checkpoint was opened. */
  startBytes: number;
  loadMs: number;
  loadPeakBytes: number;
  /** The first run, compiling included, and the second. */
  firstMs: number;
  secondMs: number;
  peakBytes: number;
  /** Of the two training steps. */
  losses?: number[];
}

const peakBytes = (): number => process.resourceUsage().maxRSS * 1024;

async function timed<T>(work: () => Promise<T>): Promise<[number, T]> {
  const start = performance.now();
  const result = await work();
  return [performance.now() - start, result];
}

const [folder, threads, planned] = process.argv.slice(2) as [string, string, string];
const run = JSON.parse(planned) as ModelRun;
const compute = await openCompute({ threads: Number(threads) });
const startBytes = process.memoryUsage().rss;
const [loadMs, text] = await timed(() => TextModel.open(compute, folder));
const loadPeakBytes = peakBytes();
const { model } = text;
const random = new Philox('model run');
const tokens = (count: number): number[] => Array.from({ length: count }, () => random.int(model.config.vocabSize));
const losses: number[] = [];

const scratch = await mkdtemp(join(tmpdir(), 'rotascope-drift-'));
const once = await prepared();
const [firstMs] = await timed(once);
const [secondMs] = await timed(once);
await rm(scratch, { recursive: true, force: true });
const result: ModelRunResult = {
  ...{ startBytes, loadMs, loadPeakBytes, firstMs, secondMs },
  peakBytes: peakBytes(),
  ...(losses.length > 0 && { losses }),
};
console.log(JSON.stringify(result));
process.exit();

async function prepared(): Promise<() => Promise<unknown>> {
  if (run.kind === 'drift') {
    const start = await openTensorSource(folder);
    const cache = new DecompositionCache(scratch, Infinity);
    const drift = spectralDrift({ start, cache, precision: 'float32', threads: Number(threads) });
    return () => drift(model);
  }
  if (run.kind === 'generation') {
    const { batch, promptTokens, newTokens } = run;
    const prompts = Int32Array.from(tokens(batch * promptTokens));
    return () =>
      model.generate({ prompts, promptLength: promptTokens, newTokens, decoding: { mode: 'greedy' }, stopIds: [], padId: 0 }); // prettier-ignore
  }
  return run.rl ? rlUpdates(run, run.rl) : sftUpdates(run);
}

async function sftUpdates({ batch, promptTokens, answerTokens, penalty }: PlannedTraining) {
  const value = penalty && (await rotationPenalty(model, (name) => model.session.read(name), sftSettingsSchema.parse({}).rotationPenalty)); // prettier-ignore
  const update = accumulatedUpdate(text, {
    ...{ ...miniatureAdamW, microBatchSize: batch, maxGradNorm: 1 },
    penalty: value && { coefficient: 1, value },
  });
  const examples = Array.from({ length: batch }, () => ({
    prompt: tokens(promptTokens),
    answer: tokens(answerTokens),
  }));
  let number = 0;
  return async () => losses.push((await update(examples, ++number, 1e-4)).loss);
}

/** Two micro-batches an update. */
async function rlUpdates(
  { batch, promptTokens, answerTokens }: PlannedTraining,
  { anchored }: NonNullable<PlannedTraining['rl']>,
) {
  const settings = textRlSettingsSchema.parse({ anchorCoef: anchored ? 1 : 0, microBatchSize: batch });
  const reference = anchored ? await loadModel(compute, folder) : null;
  const learner = openLearner({ text, settings, arm: 'ppoAnchor', seed: 0 });
  const terms = { policy: true, reward: true, anchorCoef: settings.anchorCoef };
  const update = textRlUpdate(learner, terms, reference, text.codec.padId, undefined);
  const answers = Array.from({ length: 2 * batch }, () => ({
    ...{ prompt: tokens(promptTokens), answer: tokens(answerTokens), weights: new Array<number>(answerTokens).fill(1) },
    ...{ oldLogprobs: new Float32Array(answerTokens).fill(-10), advantage: 1, critic: { value: 0, return: 1 } },
  }));
  let number = 0;
  return () => {
    const rates = { policyUpdate: ++number, valueUpdate: number, learningRate: 1e-5, valueLearningRate: 1e-5 };
    return update(answers, rates, true);
  };
}
