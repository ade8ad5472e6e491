import { describe, expect, it } from 'vitest';
import { settingsPresets } from '../../../../../main/contract/presets.ts';
import { settingsFromDraft } from '../../../../../renderer/features/studies/settingsForm.ts';
import {
  compositionOf,
  fieldsOf,
  mainPaths,
  queryOf,
  smallerMicroBatches,
  type Composition,
} from '../../../../../renderer/features/studies/studyForm.ts';

const composed = (preset: string, baseId = '', draft: Composition['draft'] = {}): Composition =>
  compositionOf({ preset, base: baseId, ...draft });
const pathsOf = (composition: Composition): string[] =>
  fieldsOf(composition).groups.flatMap(({ fields }) => fields.map(({ path }) => path));
function settingsOf(composition: Composition) {
  const { groups, defaults } = fieldsOf(composition);
  const folder = composition.baseId === '' ? null : `/models/${composition.baseId}`;
  const made = settingsFromDraft(composition.draft, groups, defaults, folder);
  if (!made.ok) throw new Error(JSON.stringify(made.errors));
  return made.settings;
}

describe('studyForm', () => {
  it.each(settingsPresets.map(({ id, base }) => [id, base] as const))(
    'makes whole settings of the untouched preset %s',
    (id, base) => {
      const preset = settingsPresets.find((one) => one.id === id)!;
      const settings = settingsOf(composed(id, base === 'required' ? 'qwen' : ''));
      expect(settings).toMatchObject({ preset: preset.settings.preset, name: preset.settings.name });
      expect(settings.base?.folder).toBe(base === 'required' ? '/models/qwen' : undefined);
    },
  );

  it('shows what counts: a base of its own, or a checkpoint and text', () => {
    const miniature = pathsOf(composed('miniature'));
    expect(miniature).toContain('pretrain.steps');
    expect(miniature.filter((path) => path.includes('.text.') || path === 'preset')).toEqual([]);
    const text = pathsOf(composed('paper-qwen', 'qwen'));
    expect(text).toEqual(
      expect.arrayContaining(['rl.text.iterations', 'rl.starts', 'sft.text.beta1', 'sft.spectralDrift', 'disk.keep']),
    );
    expect(text.filter((path) => /^(?:model|pretrain|ablation|comparison)\./.test(path))).toEqual([]);
    expect(text).not.toContain('rl.iterations');
  });

  it('shows what the other settings leave room for', () => {
    const shown = (draft: Composition['draft']): string[] => pathsOf(composed('paper-qwen', 'qwen', draft));
    expect(shown({})).not.toContain('rl.text.groupSize');
    expect(shown({ 'rl.text.algorithm': 'grpo' })).toContain('rl.text.groupSize');
    expect(shown({ 'rl.text.algorithm': 'grpo' })).not.toContain('rl.text.valueHead');
    expect(shown({})).toContain('task.text.decoding.temperature');
    expect(shown({ 'task.text.decoding.mode': 'greedy' })).not.toContain('task.text.decoding.temperature');
    expect(shown({})).toContain('sft.examples');
    expect(shown({ 'sft.text.dataFile': '/data.jsonl' })).not.toContain('sft.examples');
    expect(shown({ 'task.name': 'navigation' })).toContain('task.text.routesFile');
    expect(shown({})).not.toContain('task.text.routesFile');
  });

  it('turns the comparison of remedies into one in text when a checkpoint is chosen', () => {
    expect(settingsOf(composed('comparison')).task.name).toBe('generalPoints3');
    const settings = settingsOf(composed('comparison', 'llama'));
    expect(settings).toMatchObject({ preset: 'comparison', task: { name: 'generalPoints' } });
    expect(settings.sft.learningRate).toBe(1e-6);
    expect(settings.rl.controlArms).toEqual(['ppoPlain', 'anchorOnly']);
    const task = fieldsOf(composed('comparison', 'llama')).groups.flatMap(({ fields }) => fields);
    expect(task.find(({ path }) => path === 'task.name')?.choices.map(({ value }) => value)).toEqual([
      'generalPoints',
      'navigation',
      'determinant',
      'rank',
    ]);
  });

  it('leaves out what was typed into a field that does not count', () => {
    const draft = { 'rl.text.algorithm': 'ppo', 'rl.text.groupSize': 'many', 'pretrain.steps': 'x' };
    expect(settingsOf(composed('paper-llama', 'llama', draft)).rl.text.groupSize).toBe(8);
  });

  it('says at the base that there is none', () => {
    const { groups, defaults } = fieldsOf(composed('paper-llama'));
    const made = settingsFromDraft({}, groups, defaults, null);
    expect(made).toMatchObject({ ok: false, errors: { base: expect.stringContaining('checkpoint') as string } });
  });

  it('is its address and back; what is as in the preset, or unknown, is left out', () => {
    const query = { preset: 'paper-qwen', base: 'qwen', 'sft.steps': '800', 'rl.text.iterations': '3', nonsense: '1' };
    const composition = compositionOf(query);
    const back = queryOf(composition, fieldsOf(composition).groups);
    expect(back).toEqual({ preset: 'paper-qwen', base: 'qwen', 'rl.text.iterations': '3' });
    expect(queryOf(compositionOf({}), fieldsOf(compositionOf({})).groups)).toEqual({});
    expect(compositionOf({ preset: 'unheard' }).preset).toBe(settingsPresets[0]);
  });

  it('names settings as main parameters that are there in some composition', () => {
    const all = new Set([...pathsOf(composed('miniature')), ...pathsOf(composed('paper-qwen', 'qwen'))]);
    expect(mainPaths.filter((path) => !all.has(path))).toEqual([]);
  });

  it('halves the micro-batches until both are 1', () => {
    const settings = settingsOf(composed('paper-qwen', 'qwen', { 'sft.text.microBatchSize': '5' }));
    expect(smallerMicroBatches(settings)).toEqual([
      { 'sft.text.microBatchSize': '2', 'rl.text.microBatchSize': '1' },
      { 'sft.text.microBatchSize': '1', 'rl.text.microBatchSize': '1' },
    ]);
    expect(smallerMicroBatches(settingsOf(composed('paper-qwen', 'qwen')))).toEqual([]);
  });
});
