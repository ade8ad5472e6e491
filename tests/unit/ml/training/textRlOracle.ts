/** The loss of RL in text by explicit loops in float64, from the logits and hidden states of each answer by itself. */
import type { TextRlSettings } from '../../../../main/contract/settings.ts';
import { logits } from '../../../../main/ml/model/decoder.ts';
import type { LanguageModel } from '../../../../main/ml/model/languageModel.ts';
import type { LearnedAnswer } from '../../../../main/ml/training/textRlUpdate.ts';

export interface LossTerms {
  policyLoss: number;
  valueLoss: number;
  entropy: number;
  anchorKl: number;
  approxKl: number;
  clipFraction: number;
  /** What is learned. */
  total: number;
}

/** Log-probabilities over the vocabulary of each answer token, at a temperature: no padding, no batch. */
async function distributions(model: LanguageModel, { prompt, answer }: LearnedAnswer, temperature: number) {
  const { tf, config } = model;
  const ids = Int32Array.of(...prompt, ...answer);
  const spec = { shape: [1, ids.length], dtype: 'int32' as const };
  const from = prompt.length - 1;
  const step = model.step(`oracle ${from}`, { ids: spec }, (inputs) => ({
    logits: logits(tf, config, model.variable, { ids: inputs['ids']!, from }),
  }));
  const { data } = (await step.run({ ids }))['logits']!;
  const vocab = config.vocabSize;
  return answer.map((_, t) => {
    const row = Float64Array.from(data.subarray(t * vocab, (t + 1) * vocab), (x) => x / temperature);
    const most = Math.max(...row);
    const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0)) + most;
    return row.map((x) => x - total);
  });
}

/** The head h -> ... -> 1 with ReLU between its layers. */
async function valueOf(model: LanguageModel, { prompt }: LearnedAnswer): Promise<number> {
  const { data, shape } = await model.hiddenLastToken(Int32Array.from(prompt), prompt.length);
  const [states, , hidden] = shape;
  let x = Array.from(data.subarray((states - 1) * hidden, states * hidden));
  const layers = model.session.names().filter((name) => /^value_head\.\d\.weight$/.test(name));
  for (const [i, name] of layers.entries()) {
    const weight = await model.session.read(name);
    const bias = await model.session.read(name.replace('weight', 'bias'));
    const inputs = x;
    x = Array.from(bias, (b, row) => inputs.reduce((sum, value, column) => sum + value * weight[row * inputs.length + column]!, b)); // prettier-ignore
    if (i < layers.length - 1) x = x.map((value) => Math.max(0, value));
  }
  return x[0]!;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const clipped = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

export async function lossTerms(
  model: LanguageModel,
  reference: LanguageModel,
  answers: readonly LearnedAnswer[],
  settings: TextRlSettings,
): Promise<LossTerms> {
  const { clipCoef: c, actionUnit, rolloutTemperature, vfCoef, entCoef, anchorCoef } = settings;
  const [surrogates, ratios, entropies, kls, values]: number[][] = [[], [], [], [], []];
  for (const one of answers) {
    const rows = await distributions(model, one, rolloutTemperature);
    const base = await distributions(reference, one, rolloutTemperature);
    rows.forEach((row, t) => {
      entropies!.push(-row.reduce((sum, p) => sum + Math.exp(p) * p, 0));
      kls!.push(base[t]!.reduce((sum, p, token) => sum + Math.exp(p) * (p - row[token]!), 0));
    });
    const logratios = one.answer.map((token, t) => rows[t]![token]! - one.oldLogprobs[t]!);
    const units =
      actionUnit === 'token'
        ? logratios.map((logratio, t) => ({ ratio: Math.exp(logratio), weight: one.weights[t]! }))
        : [{ ratio: Math.exp(logratios.reduce((sum, x, t) => sum + one.weights[t]! * x, 0)), weight: 1 }];
    for (const { ratio, weight } of units) {
      ratios!.push(ratio);
      surrogates!.push(-weight * Math.min(ratio * one.advantage, clipped(ratio, 1 - c, 1 + c) * one.advantage));
    }
    const [value, { value: old, return: target }] = [await valueOf(model, one), one.critic!];
    const moved = old + clipped(value - old, -c, c);
    values!.push(0.5 * Math.max((value - target) ** 2, (moved - target) ** 2));
  }
  const terms = {
    policyLoss: mean(surrogates!),
    valueLoss: mean(values!),
    entropy: mean(entropies!),
    anchorKl: mean(kls!),
    approxKl: mean(ratios!.map((ratio) => ratio - 1 - Math.log(ratio))),
    clipFraction: mean(ratios!.map((ratio) => Number(Math.abs(ratio - 1) > c))),
  };
  const { policyLoss, valueLoss, entropy, anchorKl } = terms;
  return { ...terms, total: policyLoss + vfCoef * valueLoss - entCoef * entropy + anchorCoef * anchorKl };
}
