import { expect, test } from 'vitest';
import { studySettingsSchema } from '../../../main/contract/settings.ts';
import type { StudySettings } from '../../../main/contract/settings.ts';
import { settingsHash } from '../../../main/jobs/settingsHash.ts';

const settings = studySettingsSchema.parse({ seeds: [0, 1] });

/** The same values, every object's keys the other way round. */
function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

test('the order of keys and the name do not count', () => {
  expect(settingsHash(reversed(settings) as StudySettings)).toBe(settingsHash(settings));
  expect(settingsHash({ ...settings, name: 'Another name' })).toBe(settingsHash(settings));
});

test('every number counts, and so does the order of seeds', () => {
  const others: StudySettings[] = [
    { ...settings, seeds: [1, 0] },
    { ...settings, rl: { ...settings.rl, clipCoef: 0.1 } },
    { ...settings, pretrain: { ...settings.pretrain, mixture: { ...settings.pretrain.mixture, alt: 0.6 } } },
  ];
  expect(new Set([settings, ...others].map(settingsHash)).size).toBe(4);
});

test('studies that pretrain their base keep the hash that they have had', () => {
  expect(settingsHash(studySettingsSchema.parse({}))).toBe(
    '239c4e0647148deb814a70cc4284fa40999f0104a29e5561f89a7b7e49968b50',
  );
  const other = studySettingsSchema.parse({ preset: 'comparison', seeds: [0, 1], task: { name: 'navigation3' } });
  expect(settingsHash(other)).toBe('03de6659d42df55547e5d1f02439213c300161b9f95231a59a4a3111678a894c');
  expect(settingsHash({ ...other, disk: { keep: 'named', dtype: 'F32', budgetGB: 1 } })).toBe(settingsHash(other));
});

test('of a checkpoint its content counts, wherever it lies; settings of a base that is trained do not', () => {
  const base = { folder: '/a', name: 'A', contentHash: 'x', parameters: 1 };
  const paper = studySettingsSchema.parse({ preset: 'paper', base, task: { name: 'rank' } });
  const same = {
    ...paper,
    base: { ...base, folder: '/b', name: 'B' },
    model: { ...paper.model, ropeTheta: 7 },
  };
  expect(settingsHash(same)).toBe(settingsHash(paper));
  expect(settingsHash(paper)).toBe('93f2329e0c323df188d37d5796ccd22f72ba7e3b8d9599132df733bc983310b3');
  const others: StudySettings[] = [
    { ...paper, base: { ...base, contentHash: 'y' } },
    { ...paper, sft: { ...paper.sft, text: { ...paper.sft.text, microBatchSize: 1 } } },
    { ...paper, task: { ...paper.task, text: { ...paper.task.text, attempts: 5 } } },
    // RL starts from what SFT has saved.
    { ...paper, disk: { ...paper.disk, dtype: 'F32' } },
  ];
  expect(new Set([paper, ...others].map(settingsHash)).size).toBe(5);
});
