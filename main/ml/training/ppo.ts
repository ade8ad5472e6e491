/**
 * PPO on in-distribution prompts (paper, section 2; Schulman et al., 2017), in the miniature recipe's form: sampled
 * answers, a reward at the last token, GAE, a clipped surrogate with entropy, a critic on detached hidden states that
 * learns alone at first, and the anchor to the base model, forward KL(base || policy) on the run's own rollouts. The
 * anchor is an addition to the paper; the arms `ppoPlain` (no anchor) and `anchorOnly` (no reward) tell what it does.
 *
 * GRPO is the same loop with groups of answers in place of a critic: no value head, no warm-up, no GAE.
 */
import type { RlArm, RlSettings } from '../../contract/settings.ts';
import { LanguageModel } from '../model/languageModel.ts';
import type { WeightMap } from '../model/weights.ts';
import { Philox } from '../random/philox.ts';
import { layerMetrics } from './layerNorms.ts';
import { type PpoOptimizers, type UpdateTerms, ppoOptimizers, ppoUpdate } from './ppoSteps.ts';
import { type Minibatch, minibatch, scoreReference, scoreRollouts } from './ppoTargets.ts';
import { rollOut, rolloutMetrics } from './rollouts.ts';
import { ppoSchedule } from './schedules.ts';
import {
  type TrainingRequest,
  checkFinite,
  openRunModel,
  runState,
  throwIfCancelled,
  tokenClock,
} from './trainingRun.ts';
import { addValueHead } from './valueHead.ts';

export interface PpoRequest extends TrainingRequest<RlSettings> {
  arm: RlArm;
  /** The frozen base that the anchor pulls to; unused by `ppoPlain`. */
  referenceWeights: WeightMap;
}

/** @returns the weights after the last iteration. @throws CANCELLED | NOT_FINITE */
export async function trainPpo(request: PpoRequest): Promise<WeightMap> {
  const { task, settings, seed, arm, signal } = request;
  const anchorCoef = arm === 'ppoPlain' ? 0 : settings.anchorCoef;
  const model = openRunModel(request);
  const needsReference = anchorCoef > 0 || settings.tokenKlCoef > 0;
  const reference = needsReference
    ? new LanguageModel(request.compute, request.config, request.referenceWeights)
    : null;
  try {
    const valueHead = settings.algorithm === 'ppo' ? addValueHead(model, seed) : null;
    const warmupIterations = valueHead === null ? 0 : settings.criticWarmupIterations;
    const optimizers = ppoOptimizers(model, valueHead);
    let iteration = 0;
    let policyUpdates = 0;
    let valueUpdates = 0;
    const counters = (): Record<string, number> => ({ iteration, policyUpdates, valueUpdates });
    const { trainer, load } = runState({ ...request, settings: { ...settings, arm } }, model, 'ppo', counters);
    const resumed = await load();
    iteration = resumed?.['iteration'] ?? 0;
    policyUpdates = resumed?.['policyUpdates'] ?? 0;
    valueUpdates = resumed?.['valueUpdates'] ?? 0;

    const tokensPerSecond = tokenClock();
    for (;;) {
      throwIfCancelled(signal);
      const last = iteration >= settings.iterations;
      if (iteration % settings.evaluateEvery === 0 || last) await request.onCheckpoint?.(iteration, trainer);
      if (last) break;

      const rollouts = await rollOut(model, task, settings, seed, iteration);
      const referenceLogProbabilities = reference && (await scoreReference(reference, task, rollouts.sequences));
      const targets = await scoreRollouts(model, task, settings, valueHead, rollouts, referenceLogProbabilities);
      const learningRate = settings.learningRate * ppoSchedule(iteration, warmupIterations, settings.iterations);
      const terms: UpdateTerms = {
        policy: iteration >= warmupIterations,
        reward: arm !== 'anchorOnly',
        anchorCoef,
      };
      const sums = new Map<string, number[]>();
      let epochs = 0;
      for (let approxKl = 0; epochs < settings.updateEpochs && approxKl <= (settings.targetKl ?? Infinity); epochs++) {
        const order = new Philox(seed, 'ppo order', iteration, epochs).permutation(settings.rolloutSize);
        for (let start = 0; start < order.length; start += settings.minibatchSize) {
          const rows = order.subarray(start, start + settings.minibatchSize);
          if (valueHead !== null) valueUpdates++;
          if (terms.policy) policyUpdates++;
          const batch = minibatch(
            task,
            rows,
            rollouts,
            targets,
            settings.clipValueLoss,
            terms.policy && anchorCoef > 0 ? referenceLogProbabilities : null,
          );
          const metrics = await update(batch, rows.length, terms, learningRate);
          checkFinite(iteration + 1, metrics);
          for (const [name, value] of Object.entries(metrics)) sums.set(name, [...(sums.get(name) ?? []), value]);
          approxKl = metrics['approxKl']!;
        }
      }
      iteration++;
      const means = Object.fromEntries([...sums].map(([name, values]) => [name, mean(values)]));
      await request.onMetrics?.(iteration, {
        ...rolloutMetrics(rollouts),
        ...means,
        ...(targets.critic === null ? {} : { explainedVariance: targets.critic.explainedVariance }),
        ...(settings.targetKl === null ? {} : { epochs }),
        learningRate: terms.policy ? learningRate : 0,
        tokensPerSecond: tokensPerSecond(rollouts.sequences.length),
      });
      if (request.resumeEverySteps && iteration % request.resumeEverySteps === 0)
        await request.onResumePoint?.(iteration, trainer);
    }
    return await model.readWeights();

    async function update(
      batch: Minibatch,
      size: number,
      terms: UpdateTerms,
      learningRate: number,
    ): Promise<Record<string, number>> {
      const step = ppoUpdate(model, task, valueHead, optimizers, settings, terms, size);
      const outputs = await step.run({ ...batch, ...rateInputs(optimizers, terms.policy, learningRate) });
      const { gradNorms, updateNorms, ...scalars } = outputs;
      return {
        ...Object.fromEntries(Object.entries(scalars).map(([name, { data }]) => [name, data[0]!])),
        ...layerMetrics('gradNorm', gradNorms?.data ?? []),
        ...layerMetrics('updateNorm', updateNorms?.data ?? []),
      };
    }

    function rateInputs({ policy, value }: PpoOptimizers, learns: boolean, learningRate: number) {
      const critic = value?.inputValues(valueUpdates, settings.valueLearningRate) ?? {};
      return learns ? { ...critic, ...policy.inputValues(policyUpdates, learningRate) } : critic;
    }
  } finally {
    model.dispose();
    reference?.dispose();
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
