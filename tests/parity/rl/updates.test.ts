/**
 * RL's updates, from rewards to weights, against PyTorch: advantages, every term of the loss, autograd's gradient of every
 * parameter, and the weights after two AdamW updates. Answers come from a policy that has moved since, so that ratios and
 * values are clipped on either side, and so is the gradient.
 */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Compute, openCompute } from '../../../main/compute/compute.ts';
import { rlSettingsSchema, textRlSettingsSchema } from '../../../main/contract/settings.ts';
import { LanguageModel } from '../../../main/ml/model/languageModel.ts';
import { Philox } from '../../../main/ml/random/philox.ts';
import type { Task } from '../../../main/ml/tasks/task.ts';
import { TextModel } from '../../../main/ml/text/textModel.ts';
import { clipCoefficient } from '../../../main/ml/training/adamW.ts';
import { ppoOptimizers, ppoUpdate } from '../../../main/ml/training/ppoSteps.ts';
import { minibatch, scoreReference, scoreRollouts } from '../../../main/ml/training/ppoTargets.ts';
import type { Rollouts } from '../../../main/ml/training/rollouts.ts';
import { learnedAnswers, openLearner } from '../../../main/ml/training/textRl.ts';
import { textRlUpdate } from '../../../main/ml/training/textRlUpdate.ts';
import type { TextRollouts } from '../../../main/ml/training/textRollouts.ts';
import { addValueHead } from '../../../main/ml/training/valueHead.ts';
import { toyTask } from '../../unit/ml/training/toyTask.ts';
import { toyTextTask } from '../../unit/ml/training/toyTextTask.ts';
import { fixturePath, readTensors } from '../fixtures.ts';
import {
  type RlCase,
  expectGradients,
  expectMetrics,
  expectWeightsAfter,
  hasRlCases,
  readRlCases,
  rlConfig,
  rlFolder,
  rlWeights,
  writeRlWeights,
} from './rlCases.ts';

if (!hasRlCases()) test.skip('rl: absent from the fixtures');
else {
  const { tokenShape, cases } = readRlCases();
  const task: Task = { ...toyTask, promptLength: tokenShape.prompt, answerLength: tokenShape.answer };
  const ofKind = (kind: RlCase['kind']): RlCase[] => cases.filter((one) => one.kind === kind);
  let compute: Compute;
  let base: LanguageModel;
  beforeAll(async () => {
    compute = await openCompute();
    base = new LanguageModel(compute, rlConfig(), rlWeights('base'));
  });
  afterAll(() => base.dispose());

  describe('in tokens', () => {
    test.each(ofKind('token'))('$name', async (one) => {
      const settings = rlSettingsSchema.parse({ ...one.settings, rolloutSize: one.answers.length });
      const model = new LanguageModel(compute, rlConfig(), rlWeights('old'));
      const head = one.head === null ? null : addValueHead(model, 0);
      const optimizers = ppoOptimizers(model, head);
      await writeRlWeights(model, 'old', one.head);
      const rollouts = rolloutsOf(one, task);
      const reference = await scoreReference(base, task, rollouts.sequences);
      const targets = await scoreRollouts(model, task, settings, head, rollouts, reference);
      await writeRlWeights(model, 'policy', one.head);
      const terms = { policy: true, reward: true, anchorCoef: settings.anchorCoef };
      for (const [update, rows] of one.minibatches.entries()) {
        const step = ppoUpdate(model, task, head, optimizers, settings, terms, rows.length);
        const outputs = await step.run({
          ...minibatch(task, Int32Array.from(rows), rollouts, targets, settings.clipValueLoss, reference),
          ...optimizers.policy.inputValues(update + 1, one.learningRate),
          ...optimizers.value?.inputValues(update + 1, one.valueLearningRate),
        });
        const metrics = Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data[0]!]));
        expectMetrics(one, update, metrics);
        if (update === 0) expectGradients(one, await firstGradients(one, model, metrics['gradNorm']!));
      }
      await expectWeightsAfter(one, model);
      model.dispose();
    });
  });

  describe.each([null, 2, 1])('in text, micro-batches of %s', (microBatchSize) => {
    test.each(ofKind('text'))('$name', async (one) => {
      const settings = textRlSettingsSchema.parse({ ...one.settings, microBatchSize });
      const text = await TextModel.open(compute, fixturePath(...rlFolder));
      const { model } = text;
      const request = {
        ...{ text, reference: base, task: toyTextTask(), settings, seed: 0 },
        arm: 'ppoAnchor' as const,
      };
      const learner = openLearner(request);
      await writeRlWeights(model, 'old', one.head);
      const { answers } = await learnedAnswers(request, learner, textRolloutsOf(one));
      await writeRlWeights(model, 'policy', one.head);
      const terms = { policy: true, reward: true, anchorCoef: settings.anchorCoef };
      const update = textRlUpdate(learner, terms, base, text.codec.padId, undefined);
      for (const [index, rows] of one.minibatches.entries()) {
        const { learningRate, valueLearningRate } = one;
        const rates = { policyUpdate: index + 1, valueUpdate: index + 1, learningRate, valueLearningRate };
        expectMetrics(one, index, await update(rows.map((row) => answers[row]!), rates, false)); // prettier-ignore
        if (index > 0) continue;
        const names = Object.keys(one.tolerance.grads);
        const entries = names.map(async (name) => [name, await model.session.read(`gradient ${name}`)] as const);
        expectGradients(one, new Map(await Promise.all(entries)));
      }
      await expectWeightsAfter(one, model);
      model.dispose();
    });
  });
}

/** The sampled answers as `rollOut` lays them out. */
function rolloutsOf({ answers }: RlCase, { promptLength, answerLength, padId }: Task): Rollouts {
  const width = promptLength + answerLength;
  const sequences = new Int32Array(answers.length * width).fill(padId);
  const mask = new Float32Array(answers.length * answerLength);
  const anchored = new Float32Array(mask.length);
  answers.forEach(({ prompt, answer }, row) => {
    sequences.set([...prompt, ...answer], row * width);
    mask.fill(1, row * answerLength, row * answerLength + answer.length);
    anchored.fill(1, row * answerLength + 1, row * answerLength + answer.length);
  });
  const rewards = Float64Array.from(answers, ({ reward }) => reward);
  return { ...{ sequences, mask, anchored, rewards }, verdicts: [] };
}

function textRolloutsOf({ answers, dialogues }: RlCase): TextRollouts {
  const toy = toyTextTask();
  const verdict = toy.verify(toy.trainingEpisode('inDist', new Philox('unused')), '', 0);
  return {
    answers: answers.map((one) => ({ ...one, weights: one.weights!, verdict, ended: true })),
    dialogues: dialogues!.map((one) => ({ ...one, success: false })),
  };
}

/** AdamW's first moment after one update is (1 - beta1) times the gradient, the policy's clipped. */
async function firstGradients({ settings, name }: RlCase, model: LanguageModel, gradNorm: number) {
  const found = new Map<string, Float32Array>();
  const parameters = [...readTensors('rl', `${name}.safetensors`)].flatMap(([key, { data }]) =>
    key.startsWith('gradients.') ? [[key.slice('gradients.'.length), data.length] as const] : [],
  );
  const isHead = (parameter: string): boolean => parameter.startsWith('value_head.');
  for (const group of ['policy', 'value'] as const) {
    const own = parameters.filter(([parameter]) => isHead(parameter) === (group === 'value'));
    if (own.length === 0) continue;
    const sizes = new Map(own);
    const order = model.session.names().filter((variable) => sizes.has(variable));
    const clip = group === 'policy' ? clipCoefficient(gradNorm, settings.maxGradNorm) : 1;
    const moment = await model.session.read(`adamW.${group}.firstMoment`);
    let at = 0;
    for (const parameter of order) {
      const size = sizes.get(parameter)!;
      found.set(parameter, moment.slice(at, at + size).map((value) => value / (1 - settings.beta1) / clip)); // prettier-ignore
      at += size;
    }
  }
  return found;
}
