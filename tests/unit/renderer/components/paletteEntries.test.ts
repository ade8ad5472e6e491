import { expect, test } from 'vitest';
import { findEntries, shownEntries } from '../../../../renderer/components/paletteEntries.ts';
import { withRecent } from '../../../../renderer/components/recents.ts';

const entry = (label: string, kind: string) => ({ label, kind, run: () => undefined });
const entries = [
  entry('Home', 'page'),
  entry('Open the sample study', 'action'),
  entry('Studies', 'page'),
  entry('Sample study', 'study'),
  entry('My study, step 20', 'checkpoint'),
];
const labels = (query: string): string[] => findEntries(entries, query).map(({ label }) => label);

test('without a query all are there, in their order', () => {
  expect(labels('')).toEqual(entries.map(({ label }) => label));
  expect(labels('  ')).toHaveLength(entries.length);
});

test('every word has to be there, in the label or the kind, in any order and case', () => {
  expect(labels('STUDY sample')).toEqual(['Open the sample study', 'Sample study']);
  expect(labels('checkpoint 20')).toEqual(['My study, step 20']);
  expect(labels('study zebra')).toEqual([]);
});

test('a label that begins with the query comes first', () => {
  expect(labels('sample')[0]).toBe('Sample study');
  expect(labels('stud')[0]).toBe('Studies');
});

test('no more are shown than a list can hold', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => entry(`checkpoint ${index}`, 'checkpoint'));
  expect(findEntries(many, 'checkpoint')).toHaveLength(shownEntries);
});

test('what is opened again moves to the front; nine are kept', () => {
  expect(withRecent(['/a', '/b', '/c'], '/b')).toEqual(['/b', '/a', '/c']);
  const full = Array.from({ length: 9 }, (_, index) => `/${index}`);
  expect(withRecent(full, '/new')).toEqual(['/new', ...full.slice(0, 8)]);
});
