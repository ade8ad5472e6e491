/** Presets are settings that the schema takes, with the published numbers; and what the schema refuses of base and task. */
import { expect, test } from 'vitest';
import { settingsPresets } from '../../../main/contract/presets.ts';
import { studySettingsSchema, type StudySettingsInput } from '../../../main/contract/settings.ts';

const base = { folder: '/base' };
const presetOf = (id: string) => settingsPresets.find((preset) => preset.id === id)!;

test.each(settingsPresets)('$id is taken, with a base where it needs one', ({ base: needed, settings }) => {
  const withBase = { ...settings, base };
  expect(studySettingsSchema.safeParse(settings).success).toBe(needed !== 'required');
  if (needed === 'required') expect(studySettingsSchema.safeParse(withBase).error).toBeUndefined();
  const textTask = { ...withBase, task: { ...settings.task, name: 'navigation' as const } };
  expect(studySettingsSchema.safeParse(textTask).success).toBe(needed !== 'none');
});

test('the paper: published hyper-parameters', () => {
  const { sft, rl, task } = studySettingsSchema.parse({ ...presetOf('paper-llama').settings, base });
  expect(sft).toMatchObject({ learningRate: 1e-6, batchSize: 64, weightDecay: 0, schedule: 'cosineWithWarmup' });
  expect(sft.text).toMatchObject({ beta1: 0.9, beta2: 0.98, adamEps: 1e-7 });
  expect(sft.warmupSteps / sft.steps).toBeCloseTo(0.03, 3);
  expect((sft.steps * sft.batchSize) / sft.examples).toBe(1);
  expect([sft.steps, sft.endStep, rl.starts.length]).toEqual([1600, 1100, 18]);
  expect(rl.text).toMatchObject({
    ...{ learningRate: 1e-6, finalLearningRate: 1e-9, adamEps: 1e-7, clipCoef: 0.1, updateEpochs: 4 },
    ...{ minibatchSize: 128, microBatchSize: 1, rolloutSize: 256, vfCoef: 0.5, clipValueLoss: true, entCoef: 0 },
    ...{
      maxGradNorm: 0.01,
      gamma: 0.9,
      gaeLambda: 0.95,
      actionUnit: 'answer',
      prefixWeight: 0.5,
      cosineIterations: 100,
    },
    ...{ valueHead: 'mlp', rolloutTemperature: 0.2, maxNewTokens: 512, dialogueAttempts: 5, tokenKlCoef: 0 },
  });
  expect(task).toMatchObject({ name: 'generalPoints', evaluationEpisodes: 234, text: { attempts: 5 } });
  const qwen = studySettingsSchema.parse({ ...presetOf('paper-qwen').settings, base });
  expect([qwen.sft.steps, qwen.sft.endStep]).toEqual([800, 800]);
  expect(qwen.sft.checkpoints).toContain(120);
});

const refusals: [StudySettingsInput, string][] = [
  [{ task: { name: 'rank' } }, 'base'],
  [{ preset: 'paper' }, 'base'],
  [{ preset: 'paper', base }, 'task.name'],
  [{ preset: 'miniature', base, task: { name: 'rank' } }, 'preset'],
  [{ preset: 'paper', base, task: { name: 'rank', text: { matched: true } } }, 'task.text.matched'],
  [{ preset: 'paper', base, task: { name: 'rank', evaluationEpisodes: 4, text: { massEpisodes: 5 } } }, 'task.text.massEpisodes'], // prettier-ignore
  [{ preset: 'paper', base, task: { name: 'rank' }, rl: { text: { algorithm: 'grpo', rolloutSize: 12 } } }, 'rl.text.groupSize'], // prettier-ignore
];
test.each(refusals)('%j is refused at %s', (settings, path) => {
  const { error } = studySettingsSchema.safeParse(settings);
  expect(error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
});
