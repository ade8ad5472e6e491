/**
 * The update that real checkpoints are trained with, against torch.optim.AdamW: three steps with clipping and a cosine, the
 * batch whole and cut into micro-batches. The prompts of the reference's rows end where its labels begin; tokens between
 * that have no label are read and do not count.
 */
import { describe, test } from 'vitest';
import { openCompute } from '../../../main/compute/compute.ts';
import { LanguageModel } from '../../../main/ml/model/languageModel.ts';
import type { TokenExample } from '../../../main/ml/text/answerBatch.ts';
import { ChatCodec } from '../../../main/ml/text/chatCodec.ts';
import { TextModel } from '../../../main/ml/text/textModel.ts';
import { accumulatedUpdate } from '../../../main/ml/training/accumulatedUpdate.ts';
import { cosineWithWarmup } from '../../../main/ml/training/schedules.ts';
import { expectClose, expectSpread } from '../compare.ts';
import { fixturePath, hasFixture, tensor } from '../fixtures.ts';
import { type Batch, modelCases, readBatch, readConfig, readMeta, readReference, readWeights } from './modelCases.ts';

function examplesOf({ batch, tokens, inputIds, attentionMask, labels }: Batch): TokenExample[] {
  return Array.from({ length: batch }, (_, row) => {
    const own = (values: Int32Array): number[] => Array.from(values.subarray(row * tokens, (row + 1) * tokens));
    const ids = own(inputIds);
    const wanted = own(labels).map((label) => label !== -100);
    const first = wanted.indexOf(true);
    return {
      prompt: ids.slice(own(attentionMask).indexOf(1), first),
      answer: ids.slice(first),
      counted: wanted.slice(first),
    };
  });
}

const cases = modelCases().filter((modelCase) => modelCase.skipped === null && readMeta(modelCase).adamw !== undefined);

for (const modelCase of cases.filter(({ folder }) => hasFixture(folder, 'tokenizer.json'))) {
  describe(modelCase.folder, () => {
    test.each([3, 2, 1])('three AdamW steps, %i rows at a time', async (microBatchSize) => {
      const { adamw, tolerance: { adamw3 } } = readMeta(modelCase); // prettier-ignore
      const compute = await openCompute({ backend: 'tensorflow' });
      const model = new LanguageModel(compute, readConfig(modelCase), await readWeights(modelCase));
      const text = new TextModel(model, await ChatCodec.open(fixturePath(modelCase.folder)));
      const update = accumulatedUpdate(text, {
        ...{ beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.01 },
        ...{ microBatchSize, maxGradNorm: 1 },
      });
      const examples = examplesOf(readBatch(modelCase));
      for (const [index, expected] of adamw!.steps.entries()) {
        const { loss, gradNorm } = await update(examples, index + 1, 1e-3 * cosineWithWarmup(index, 0, 10));
        expectClose(`loss of step ${index}`, [loss], [expected.loss], { atol: adamw3!.loss_each_step });
        expectClose(`norm of step ${index}`, [gradNorm], [expected.grad_norm_before_clip], { atol: 0, rtol: 1e-4 });
      }
      const reference = readReference(modelCase, 'adamw3.safetensors');
      const weights = await model.readWeights();
      model.dispose();
      const after = [...weights].map(([name, { data }]) => [name, data] as const);
      expectSpread(after, (name) => tensor(reference, name).data, adamw3!);
    });
  });
}
