import { expect, test } from 'vitest';
import { studySettingsSchema } from '../../../main/contract/settings.ts';
import { readSettings, writeSettings } from '../../../main/studies/settingsFile.ts';

test('what is written is read again, the same; people can read it', () => {
  const settings = studySettingsSchema.parse({
    name: 'A name: with "signs" # and more',
    preset: 'comparison',
    seeds: [3, 1],
    rl: { targetKl: null, starts: ['peak', 0] },
  });
  const text = writeSettings(settings);
  expect(readSettings(text)).toEqual(settings);
  expect(text).toContain('# Settings of a Rotascope study. Run it: rotascope study comparison');
  expect(text).toMatch(/^ {2}learningRate: 0\.0002$/m);
});

test('JSON is read too; what is left out has its default', () => {
  expect(readSettings('')).toEqual(studySettingsSchema.parse({}));
  expect(readSettings('{"rl": {"iterations": 3}}')).toEqual(studySettingsSchema.parse({ rl: { iterations: 3 } }));
});

test.each([
  ['name: [', /not valid YAML at line 1/],
  ['- 1', /not an object/],
  ['rl:\n  itterations: 3', /no setting rl\.itterations/],
  ['sft:\n  endStep: 7', /sft\.endStep is not valid/],
  ['a: &a {x: 1}\nb: *a', /not valid YAML/],
  ['name: x\nname: y', /not valid YAML/],
  [`name: ${'x'.repeat(1_000_001)}`, /longer than/],
])('%j is refused', (text, message) => {
  expect(() => readSettings(text)).toThrow(message);
});
