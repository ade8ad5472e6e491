/**
 * Logits, losses, gradients, optimiser steps, hidden states and greedy generation against PyTorch and transformers.
 * Tolerances come with the numbers: 20 times the error that the float32 reference makes against float64.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Backend, type Compute, openCompute } from '../../../main/compute/compute.ts';
import type { HostTensor, Tensor, TensorSpec, Variable } from '../../../main/compute/session.ts';
import { decode, outputLogits, prepareWeights, toBatchMajor } from '../../../main/ml/model/decoder.ts';
import { LanguageModel } from '../../../main/ml/model/languageModel.ts';
import type { ModelConfig } from '../../../main/ml/model/modelConfig.ts';
import { inverseFrequencies } from '../../../main/ml/model/rope.ts';
import { tokenNll } from '../../../main/ml/model/tokenNll.ts';
import { weightCatalogue } from '../../../main/ml/model/weights.ts';
import { AdamW, lossGradients } from '../../../main/ml/training/adamW.ts';
import { cosineWithWarmup } from '../../../main/ml/training/schedules.ts';
import { expectClose, expectSpread } from '../compare.ts';
import { tensor } from '../fixtures.ts';
import {
  type Batch,
  type ModelCase,
  modelCases,
  readBatch,
  readConfig,
  readMeta,
  readReference,
  readWeights,
} from './modelCases.ts';

/** Of the fixtures' optimiser: torch.optim.AdamW, cosine over ten steps, clipped to 1. */
const adamWSettings = { beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.01 };
const adamWLearningRate = 1e-3;
const adamWTotalSteps = 10;
const maxGradNorm = 1;

function batchSpecs({ batch, tokens }: Batch): Record<string, TensorSpec> {
  const spec: TensorSpec = { shape: [batch, tokens], dtype: 'int32' };
  return { inputIds: spec, attentionMask: spec, labels: spec };
}

function batchValues({ inputIds, attentionMask, labels }: Batch): Record<string, Int32Array> {
  return { inputIds, attentionMask, labels };
}

/** Logits of all positions, the residual streams, and the loss of the next tokens, as transformers computes it. */
function forward(model: LanguageModel, inputs: Record<string, Tensor>) {
  const { tf, config } = model;
  const [batch, tokens] = inputs['inputIds']!.shape as [number, number];
  const weights = prepareWeights(tf, config, model.variable);
  const { normalized } = decode(tf, config, weights, {
    ids: inputs['inputIds']!,
    attentionMask: inputs['attentionMask']!,
  });
  const logits = toBatchMajor(tf, outputLogits(tf, weights, normalized), batch);
  const targets = tf.slice(inputs['labels']!, [0, 1], [batch, tokens - 1]).flatten();
  const mask = tf.notEqual(targets, tf.scalar(-100, 'int32'));
  const predicted = tf.slice(logits, [0, 0, 0], [batch, tokens - 1, config.vocabSize]);
  const nll = tokenNll(tf, predicted.reshape([-1, config.vocabSize]), tf.mul(targets, mask.toInt()));
  const perToken = tf.mul(nll, mask.toFloat());
  const loss = tf.div(tf.sum(perToken), tf.sum(mask.toFloat()));
  return { logits, perToken, loss };
}

const namesOf = (config: ModelConfig): string[] => weightCatalogue(config).map(({ name }) => name);

const variablesOf = (model: LanguageModel): Variable[] =>
  weightCatalogue(model.config).map(({ name }) => model.variable(name));

async function forwardOutputs(model: LanguageModel, batch: Batch): Promise<Record<string, HostTensor>> {
  const step = model.step('parity forward', batchSpecs(batch), (inputs) => forward(model, inputs));
  return step.run(batchValues(batch));
}

/** Logits are compared where there is a token: padded positions have no meaning. */
function atTokens(values: ArrayLike<number>, batch: Batch): Float64Array {
  const width = values.length / batch.attentionMask.length;
  const kept: number[] = [];
  batch.attentionMask.forEach((valid, row) => {
    if (valid === 1) for (let i = 0; i < width; i++) kept.push(values[row * width + i]!);
  });
  return Float64Array.from(kept);
}

function forwardTests(model: () => LanguageModel, modelCase: ModelCase): void {
  const batch = readBatch(modelCase);
  const { tolerance } = readMeta(modelCase);

  test('inverse frequencies', () => {
    // 2 ulp of float32
    expectClose('inv_freq', inverseFrequencies(model().config), readMeta(modelCase).inv_freq, {
      atol: 0,
      rtol: 2.4e-7,
    });
  });

  test('logits, per-token loss, loss and hidden states', async () => {
    const expected = readReference(modelCase, 'outputs.safetensors');
    const actual = await forwardOutputs(model(), batch);
    const logits = atTokens(tensor(expected, 'logits').data, batch);
    expectClose('logits', atTokens(actual['logits']!.data, batch), logits, { atol: tolerance.logits });
    const perToken = tensor(expected, 'per_token_loss').data;
    expectClose('per_token_loss', actual['perToken']!.data, perToken, { atol: tolerance.per_token_loss });
    expectClose('loss', actual['loss']!.data, tensor(expected, 'loss').data, { atol: tolerance.per_token_loss });
    const hidden = tensor(expected, 'hidden_last_token').data;
    const states = await model().hiddenLastToken(batch.inputIds, batch.tokens, batch.attentionMask);
    expect(states.shape).toEqual(tensor(expected, 'hidden_last_token').shape);
    expectClose('hidden_last_token', states.data, hidden, { atol: tolerance.hidden_last_token });
  });

  test('gradient of every parameter', async () => {
    const expected = readReference(modelCase, 'grads.safetensors');
    const { config } = model();
    const inMemory = (own: string[]): string[] => {
      return config.modelType !== 'mllama' ? own : namesOf({ ...config, naming: 'inMemory' });
    };
    const names = namesOf(config);
    expect([...expected.keys()].sort()).toEqual([...inMemory(names)].sort());
    const step = model().step('parity gradients', batchSpecs(batch), (inputs) => {
      const { tf } = model();
      const { gradients } = lossGradients(tf, variablesOf(model()), () => forward(model(), inputs).loss);
      return Object.fromEntries(names.map((name, index) => [name, gradients[index]!]));
    });
    const actual = await step.run(batchValues(batch));
    names.forEach((name, index) => {
      const known = inMemory(names)[index]!;
      expectClose(name, actual[name]!.data, tensor(expected, known).data, { atol: tolerance.grads[known]! });
    });
  });
}

function generationTest(model: () => LanguageModel, modelCase: ModelCase): void {
  test.each(['unrolled', 'cached'] as const)('greedy generation of left-padded prompts, %s', async (method) => {
    const batch = readBatch(modelCase);
    const expected = tensor(readReference(modelCase, 'outputs.safetensors'), 'generated_ids');
    const generated = await model().generate({
      prompts: batch.inputIds,
      promptLength: batch.tokens,
      newTokens: expected.shape[1]!,
      decoding: { mode: 'greedy' },
      attentionMask: batch.attentionMask,
      method,
      stopIds: [],
      padId: model().config.padTokenId ?? 0,
    });
    expect(Array.from(generated)).toEqual(Array.from(expected.data));
  });
}

function adamWTest(compute: () => Compute, modelCase: ModelCase): void {
  test('three AdamW steps', async () => {
    const batch = readBatch(modelCase);
    const { adamw, tolerance: { adamw3 } } = readMeta(modelCase); // prettier-ignore
    const model = new LanguageModel(compute(), readConfig(modelCase), await readWeights(modelCase));
    const { tf } = model;
    const adamW = new AdamW(tf, model.session, 'adamW', variablesOf(model), adamWSettings);
    const step = model.step('parity AdamW', { ...batchSpecs(batch), ...adamW.inputs }, (inputs) => {
      const { loss, gradients } = lossGradients(tf, variablesOf(model), () => forward(model, inputs).loss);
      return { loss, gradNorm: adamW.apply(gradients, inputs, maxGradNorm).gradNorm };
    });
    for (const [index, expected] of adamw!.steps.entries()) {
      const learningRate = adamWLearningRate * cosineWithWarmup(index, 0, adamWTotalSteps);
      expectClose('lr', [learningRate], [expected.lr], { atol: 0, rtol: 1e-9 });
      const { loss, gradNorm } = await step.run({
        ...batchValues(batch),
        ...adamW.inputValues(index + 1, learningRate),
      });
      expectClose(`loss of step ${index}`, loss!.data, [expected.loss], { atol: adamw3!.loss_each_step });
      expectClose(`norm of step ${index}`, gradNorm!.data, [expected.grad_norm_before_clip], { atol: 0, rtol: 1e-4 });
    }
    const expected = readReference(modelCase, 'adamw3.safetensors');
    const weights = await model.readWeights();
    model.dispose();
    const after = [...weights].map(([name, { data }]) => [name, data] as const);
    expectSpread(after, (name) => tensor(expected, name).data, adamw3!);
  });
}

/** @param parts 'all', or what a slow backend can afford */
export function modelParityTests(backend: Backend, parts: 'all' | 'forwardAndGradients'): void {
  for (const modelCase of modelCases()) {
    if (modelCase.skipped !== null) {
      test.skip(`${modelCase.folder}: ${modelCase.skipped}`);
      continue;
    }
    describe(`${modelCase.folder} on ${backend}`, () => {
      let compute: Compute | undefined;
      let model: LanguageModel | undefined;
      beforeAll(async () => {
        compute = await openCompute({ backend });
        model = new LanguageModel(compute, readConfig(modelCase), await readWeights(modelCase));
      });
      afterAll(() => model?.dispose());

      test('both config layouts say the same', () => {
        expect(readConfig(modelCase, 'config.v4.json')).toEqual(readConfig(modelCase));
      });
      forwardTests(() => model!, modelCase);
      if (parts === 'forwardAndGradients') return;
      generationTest(() => model!, modelCase);
      // The fixtures have no AdamW reference of rope3 and mllama.
      if (readMeta(modelCase).adamw !== undefined) adamWTest(() => compute!, modelCase);
    });
  }
}
