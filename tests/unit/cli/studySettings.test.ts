import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { resolveSettings } from '../../../main/cli/studySettings.ts';
import { studySettingsSchema } from '../../../main/contract/settings.ts';

function settingsFile(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'rotascope-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'settings.json');
  writeFileSync(file, content);
  return file;
}

test('nothing given is the default study', () => {
  expect(resolveSettings({ set: [] })).toEqual(studySettingsSchema.parse({}));
});

test('the file, then --set, then --seeds', () => {
  const settings = settingsFile('{"name": "From the file", "seeds": [7], "rl": {"iterations": 3, "clipCoef": 0.3}}');
  const resolved = resolveSettings({ settings, set: ['rl.iterations=10', 'rl.starts=[200, "peak"]'], seeds: [0, 1] });
  expect(resolved).toMatchObject({ name: 'From the file', seeds: [0, 1] });
  expect(resolved.rl).toMatchObject({ iterations: 10, clipCoef: 0.3, starts: [200, 'peak'], gaeLambda: 0.95 });
  expect(resolveSettings({ set: ['name=A name = with signs'] }).name).toBe('A name = with signs');
});

test.each([
  [['rl.itterations=3'], /no setting rl\.itterations/],
  [['rl.iterations=many'], /rl\.iterations is not valid/],
  [['rl.iterations'], /not NAME=VALUE/],
  [['rl.iterations.deeper=1'], /rl\.iterations is not valid/],
  [['__proto__.x=1'], /not NAME=VALUE/],
  [['constructor.x=1'], /no setting constructor/],
])('%j is refused', (set, message) => {
  expect(() => resolveSettings({ set })).toThrow(message);
});

test('a file that is not there, not JSON or not an object is refused', () => {
  const files = [join(tmpdir(), 'no-such-file.json'), settingsFile('{'), settingsFile('[1]')];
  for (const settings of files) expect(() => resolveSettings({ settings, set: [] })).toThrow(/settings file/);
});

test('a preset is under the file, the file under --set, and --base and --task over all', () => {
  const settings = settingsFile('{"sft": {"batchSize": 8}, "preset": "comparison"}');
  const common = { settings, preset: 'paper-qwen', base: '/base' };
  const resolved = resolveSettings({ ...common, task: 'navigation', set: ['sft.text.microBatchSize=2'] });
  expect(resolved).toMatchObject({ preset: 'paper', base: { folder: '/base' }, name: 'Paper, Qwen' });
  expect(resolved.task).toMatchObject({ name: 'navigation', evaluationEpisodes: 234 });
  expect(resolved.sft).toMatchObject({ batchSize: 8, steps: 800, text: { microBatchSize: 2, beta2: 0.98 } });
  expect(() => resolveSettings({ preset: 'paper-qwen', set: [] })).toThrow(/choose the checkpoint to start from/);
  expect(() => resolveSettings({ ...common, set: ['task.text.tokens=2'] })).toThrow(/no setting task\.text\.tokens/);
});
