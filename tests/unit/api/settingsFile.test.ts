import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSettings, readSettingsFile } from '../../../main/api/settingsFile.ts';
import { studySettingsSchema } from '../../../main/contract/settings.ts';

test('what a file names is set, everything else has its default', () => {
  const settings = parseSettings('name: Short\nseeds: [3, 4]\nsft:\n  learningRate: 1.0e-4 # half\n');
  const defaults = studySettingsSchema.parse({});
  expect(settings).toEqual({
    ...{ ...defaults, name: 'Short', seeds: [3, 4] },
    sft: { ...defaults.sft, learningRate: 1e-4 },
  });
  expect(parseSettings('')).toEqual(defaults);
  expect(parseSettings(JSON.stringify(settings))).toEqual(settings);
});

test.each([
  ['a misspelt setting', 'sft: { learnRate: 1 }', 'No setting is called sft.learnRate.'],
  ['a misspelt section', 'sftt: { steps: 1 }', 'No setting is called sftt.'],
  ['a wrong type', 'sft: { steps: many }', 'sft.steps: '],
  ['a refused combination', 'sft: { endStep: 7 }', 'sft.endStep: SFT_End (step 7)'],
  ['no YAML', 'sft: [1', 'The file is not YAML: '],
  ['a list', '- 1', 'The file holds no settings'],
  ['a word', 'hello', 'The file holds no settings'],
  ['a prototype', '__proto__: { polluted: 1 }', 'No setting is called __proto__.'],
  [
    'aliases without end',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
      .split('')
      .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[at]}`).join()}]`)
      .join('\n')}`,
    'The file is not YAML: ',
  ],
  ['too much', 'x'.repeat(300_000), 'The text is longer'],
])('%s is refused with its reason and the next step', (_name, text, reason) => {
  expect(() => parseSettings(text)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }) as Error);
  expect(() => parseSettings(text)).toThrow(reason);
});

test('a file is read up to its bound, and its absence is said', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rotascope-settings-'));
  const path = join(folder, 'study.yaml');
  writeFileSync(path, 'seeds: [5]\n');
  expect((await readSettingsFile(path)).seeds).toEqual([5]);
  writeFileSync(path, '#'.repeat(300_000));
  await expect(readSettingsFile(path)).rejects.toThrow('300000 bytes');
  await expect(readSettingsFile(join(folder, 'absent.yaml'))).rejects.toThrow('no file');
  await expect(readSettingsFile(folder)).rejects.toThrow('no file');
});
