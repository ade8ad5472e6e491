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
