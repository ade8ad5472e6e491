import { describe, expect, it } from 'vitest';
import { studySettingsSchema } from '../../../../../main/contract/settings.ts';
import {
  draftFromSettings,
  labelOf,
  settingGroups,
  settingsFromDraft,
} from '../../../../../renderer/features/studies/settingsForm.ts';
import { settingWords } from '../../../../../renderer/features/studies/settingWords.ts';

const groups = settingGroups();

describe('settingsForm', () => {
  it('has a field for every leaf of the schema, and untouched means the defaults', () => {
    const result = settingsFromDraft({}, groups);
    expect(result).toEqual({ ok: true, settings: studySettingsSchema.parse({}) });
    const paths = groups.flatMap(({ fields }) => fields.map(({ path }) => path));
    expect(paths).toContain('pretrain.mixture.full2');
    expect(paths).toContain('rl.rewards.badFormat');
  });
  it('shows given settings as if they had been typed', () => {
    const given = studySettingsSchema.parse({
      ...{ name: 'Given', seeds: [2, 5], task: { name: 'navigation3' } },
      sft: { learningRate: 1e-5, checkpoints: [0, 20], endStep: 20 },
      rl: { algorithm: 'grpo', targetKl: 0.5, starts: [20, 'peak'], normalizeAdvantages: false },
    });
    const draft = draftFromSettings(given, groups);
    expect(draft['sft.learningRate']).toBe('1e-5');
    expect(draft).not.toHaveProperty('sft.steps'); // As by default.
    expect(settingsFromDraft(draft, groups)).toEqual({ ok: true, settings: given });
    expect(draftFromSettings(studySettingsSchema.parse({}), groups)).toEqual({});
  });
  it('reads numbers, lists, words and switches', () => {
    const draft = {
      name: 'Mine',
      seeds: '0, 1 2',
      'sft.learningRate': '1e-4',
      'rl.starts': '200, peak',
      'rl.normalizeAdvantages': 'false',
    };
    const result = settingsFromDraft(draft, groups);
    if (!result.ok) throw new Error(JSON.stringify(result.errors));
    expect(result.settings.seeds).toEqual([0, 1, 2]);
    expect(result.settings.sft.learningRate).toBe(1e-4);
    expect(result.settings.rl.starts).toEqual([200, 'peak']);
    expect(result.settings.rl.normalizeAdvantages).toBe(false);
  });
  it('offers listed values as choices, and takes nothing typed as null where that is allowed', () => {
    const field = (path: string) => groups.flatMap(({ fields }) => fields).find((one) => one.path === path)!;
    expect(field('rl.algorithm')).toMatchObject({ kind: 'choice', initial: 'ppo' });
    expect(field('task.name').choices).toContainEqual({ value: 'rank', label: 'Rank of a matrix' });
    expect(field('rl.controlArms')).toMatchObject({ kind: 'set', initial: 'ppoPlain, anchorOnly' });
    expect(field('rl.starts')).toMatchObject({ kind: 'list', choices: [] });
    expect(field('sft.text.dataFile')).toMatchObject({ kind: 'optionalText', initial: '' });
    expect(field('rl.text.microBatchSize')).toMatchObject({ kind: 'optionalNumber', initial: '1' });
    expect(field('rl.targetKl')).toMatchObject({ kind: 'optionalNumber', initial: '' });
    const typed = settingsFromDraft({ 'rl.algorithm': 'grpo', 'rl.targetKl': '0.02' }, groups);
    if (!typed.ok) throw new Error(JSON.stringify(typed.errors));
    expect(typed.settings.rl).toMatchObject({ algorithm: 'grpo', targetKl: 0.02 });
    expect(settingsFromDraft({ 'rl.targetKl': 'x' }, groups)).toMatchObject({ ok: false });
    const noArms = settingsFromDraft({ 'rl.controlArms': '' }, groups);
    if (!noArms.ok) throw new Error(JSON.stringify(noArms.errors));
    expect(noArms.settings.rl.controlArms).toEqual([]);
  });
  it("puts the schema's message at the field, also for an item of a list", () => {
    const result = settingsFromDraft({ 'sft.steps': 'many', seeds: '0, -1', 'model.hiddenSize': '' }, groups);
    if (result.ok) throw new Error('accepted');
    expect(Object.keys(result.errors).sort()).toEqual(['model.hiddenSize', 'seeds', 'sft.steps']);
  });
  it('passes on what has to hold between settings', () => {
    const result = settingsFromDraft({ 'sft.endStep': '201' }, groups);
    if (result.ok) throw new Error('accepted');
    expect(result.errors['sft.endStep']).toContain('201');
  });
  it('has words for no setting that the schema does not have', () => {
    const paths = new Set(groups.flatMap(({ fields }) => fields.map(({ path }) => path)));
    expect(Object.keys(settingWords).filter((path) => !paths.has(path))).toEqual([]);
    const field = groups.flatMap(({ fields }) => fields).find(({ path }) => path === 'rl.text.iterations');
    expect(field?.label).toBe('RL iterations');
  });
  it('labels fields in words', () => {
    expect(labelOf('numKeyValueHeads')).toBe('Num key value heads');
  });
});

it('settings into the form and out again are the same settings', () => {
  const settings = studySettingsSchema.parse({
    name: 'Another',
    preset: 'comparison',
    seeds: [4, 2],
    sft: { spectralDrift: false, rotationPenalty: { coefficient: 3, rankShare: 0.5 } },
    rl: { targetKl: 0.02, starts: ['peak', 0] },
  });
  const draft = draftFromSettings(settings, groups);
  expect(draft).toMatchObject({ seeds: '4, 2', 'sft.spectralDrift': 'false', 'rl.targetKl': '0.02' });
  expect(draft).not.toHaveProperty(['sft.steps']);
  expect(settingsFromDraft(draft, groups)).toEqual({ ok: true, settings });
});
