/** The updates of RL in the fixtures: answers, settings, three models, and what PyTorch made of them. */
import { parseModelConfig, type ModelConfig } from '../../../main/ml/model/modelConfig.ts';
import type { LanguageModel } from '../../../main/ml/model/languageModel.ts';
import { weightCatalogue, type WeightMap } from '../../../main/ml/model/weights.ts';
import { type SpreadBounds, expectClose, expectSpread } from '../compare.ts';
import { hasFixture, readJson, readTensors, tensor } from '../fixtures.ts';

interface GivenAnswer {
  prompt: number[];
  answer: number[];
  /** Of tasks in text. */
  weights?: number[];
  reward: number;
}

export interface RlCase {
  name: string;
  kind: 'token' | 'text';
  /** Which of the heads in weights.safetensors is the critic's. */
  head: 'tanh' | 'relu' | 'linear' | null;
  settings: Record<string, unknown> & { beta1: number; maxGradNorm: number };
  answers: GivenAnswer[];
  /** Of tasks in text. */
  dialogues?: { answers: number[]; next: number[] | null }[];
  minibatches: number[][];
  learningRate: number;
  valueLearningRate: number;
  /** Of each update, in order. */
  metrics: Record<string, number>[];
  tolerance: { metrics: number; grads: Record<string, number>; after: SpreadBounds };
}

export const rlFolder = ['rl', 'policy'] as const;
export const hasRlCases = (): boolean => hasFixture('rl', 'cases.json');

export const readRlCases = (): { tokenShape: { prompt: number; answer: number }; cases: RlCase[] } =>
  readJson('rl', 'cases.json');

export const rlConfig = (): ModelConfig => parseModelConfig(readJson(...rlFolder, 'config.json'));

/** The model that the answers are drawn from, the one that learns, or the frozen one of the KL terms. */
export function rlWeights(which: 'old' | 'policy' | 'base'): WeightMap {
  const stored = which === 'policy' ? readTensors(...rlFolder, 'model.safetensors') : readTensors('rl', 'weights.safetensors'); // prettier-ignore
  const prefix = which === 'policy' ? '' : `${which}.`;
  return new Map(
    weightCatalogue(rlConfig()).map(({ name }) => {
      const { shape, data } = tensor(stored, prefix + name);
      return [name, { shape, data: Float32Array.from(data) }];
    }),
  );
}

/** Gives a model and its critic the values of the fixtures. */
export async function writeRlWeights(model: LanguageModel, which: 'old' | 'policy', head: RlCase['head']) {
  for (const [name, { data }] of rlWeights(which)) await model.session.write(name, data);
  const prefix = `${which}.${head}.`;
  for (const [name, { data }] of readTensors('rl', 'weights.safetensors'))
    if (name.startsWith(prefix)) await model.session.write(name.slice(prefix.length), Float32Array.from(data));
}

export function expectMetrics(one: RlCase, update: number, found: Record<string, number>): void {
  for (const [name, value] of Object.entries(one.metrics[update]!))
    expectClose(`${name} of update ${update}`, [found[name]!], [value], { atol: one.tolerance.metrics });
}

/** @param found the gradient of every parameter, the critic's too. @throws Error when one is missing or wrong */
export function expectGradients(one: RlCase, found: ReadonlyMap<string, ArrayLike<number>>): void {
  const expected = readTensors('rl', `${one.name}.safetensors`);
  const names = Object.keys(one.tolerance.grads);
  if (names.length !== found.size) throw new Error(`${found.size} gradients, expected ${names.length}`);
  for (const name of names)
    expectClose(name, found.get(name) ?? [], tensor(expected, `gradients.${name}`).data, { atol: one.tolerance.grads[name]! }); // prettier-ignore
}

export async function expectWeightsAfter(one: RlCase, model: LanguageModel): Promise<void> {
  const expected = readTensors('rl', `${one.name}.safetensors`);
  const names = Object.keys(one.tolerance.grads);
  const after = await Promise.all(names.map(async (name) => [name, await model.session.read(name)] as const));
  expectSpread(after, (name) => tensor(expected, `after.${name}`).data, one.tolerance.after);
}
