import { expect, test } from 'vitest';
import { clashOf, isDataName } from '../../../../main/jobs/dataFolder/backupFormat.ts';
import { isHeavy } from '../../../../main/jobs/dataFolder/dataFiles.ts';

test('a name leads to a place of ours below the data folder, or is refused', () => {
  const good = ['rotascope.sqlite', 'jobs/a/worker.log', 'studies/a/seed-0/sft/step-000010/config.json', 'cache/é/..x'];
  expect(good.filter(isDataName)).toEqual(good);
  const bad = [
    '',
    'jobs',
    'jobs/',
    '/jobs/a',
    'jobs//a',
    'jobs/./a',
    'jobs/../a',
    'jobs/..',
    '../jobs/a',
    'jobs\\a',
    'jobs/a\\..\\b',
    'jobs/a\0',
    'jobs/a\nb',
    'engine.json',
    'shell/a',
    'rotascope.sqlite/a',
    'rotascope.sqlite-wal',
    `jobs/${'a'.repeat(1000)}`,
  ];
  expect(bad.filter(isDataName)).toEqual([]);
});

test('names that are one file on some systems, and files where a folder is needed', () => {
  expect(clashOf(['jobs/a', 'jobs/b', 'jobs/c/d', 'jobs/c/e'])).toBe(null);
  expect(clashOf(['jobs/a', 'jobs/A'])).toBe('jobs/A');
  expect(clashOf(['jobs/\u00e9', 'jobs/e\u0301'])).toBe('jobs/e\u0301');
  expect(clashOf(['jobs/a/b', 'jobs/A'])).toBe('jobs/a/b');
});

test('weights, states to resume from and caches may be left out; logs, curves and answers may not', () => {
  const heavy = [
    'cache/points/a',
    'checkpoints/a/config.json',
    'exports/a/b',
    'studies/a/model.safetensors',
    'jobs/a/resume/m',
  ];
  expect(heavy.filter(isHeavy)).toEqual(heavy);
  expect(
    ['jobs/a/worker.log', 'jobs/a/samples/1', 'studies/a/config.json', 'rotascope.sqlite'].filter(isHeavy),
  ).toEqual([]);
});
