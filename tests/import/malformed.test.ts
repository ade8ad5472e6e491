/**
 * Every case of `malformed/cases.jsonl` gets its expected verdict, whatever the cases are: the folder may be another one
 * with other faults (ROTASCOPE_FIXTURES).
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { importVerdictSchema, type ImportVerdict } from '../../main/contract/api.ts';
import { importCodes } from '../../main/ml/checkpoints/importCodes.ts';
import { inspectPaths } from '../../main/ml/checkpoints/inspectPaths.ts';
import { openCheckpoint } from '../../main/ml/checkpoints/openCheckpoint.ts';
import { isFloatDtype } from '../../main/ml/safetensors/dtypes.ts';
import { fixturePath, hasFixture } from '../parity/fixtures.ts';
import { access, forgetAccess } from './openedFiles.ts';

vi.mock('node:fs/promises', async (importOriginal) => (await import('./openedFiles.ts')).recorded(importOriginal));

interface Case {
  file: string;
  what: string;
  expected: 'accept' | 'reject' | 'either';
  kind: string | null;
  reference: { tensors?: number };
}

const present = hasFixture('malformed', 'cases.jsonl');
const cases: Case[] = present
  ? readFileSync(fixturePath('malformed', 'cases.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as Case)
  : [];
if (!present) console.warn(`Skipped: ${fixturePath('malformed', 'cases.jsonl')} does not exist.`);

/** No verdict may need more memory than this, measured or asked for. */
const memoryLimitBytes = 64 * 1024 * 1024;
const verdictOf = new Map<string, ImportVerdict>();
const pathOf = (file: string): string => fixturePath('malformed', file);

/** Names and values of the built-in prototypes. */
function prototypes(): [PropertyKey, unknown][][] {
  return [Object.prototype, Array.prototype, String.prototype, Function.prototype, Map.prototype].map((prototype) => {
    return Reflect.ownKeys(prototype).map((key) => [
      key,
      Object.getOwnPropertyDescriptor(prototype, key)?.value as unknown,
    ]);
  });
}

describe.skipIf(!present)(`malformed files of ${fixturePath('malformed')}`, () => {
  beforeAll(async () => {
    // Loads and compiles what the first case would otherwise be charged for.
    await inspectPaths([fixturePath('malformed', 'cases.jsonl')]);
  });

  it('has cases', () => expect(cases.length).toBeGreaterThan(0));

  it.each(cases)('$expected: $file ($what)', { timeout: 5_000 }, async ({ file, expected, reference }) => {
    const given = pathOf(file);
    const before = prototypes();
    const residentBefore = process.memoryUsage.rss();
    forgetAccess();
    const verdicts = await inspectPaths([given]);

    expect(prototypes()).toEqual(before);
    expect(process.memoryUsage.rss() - residentBefore).toBeLessThan(memoryLimitBytes);
    checkAccess(given);

    // Checkpoints in folders below, if there are any, have verdicts of their own.
    const own = verdicts.filter(({ path: at }) => at === given);
    expect(own).toHaveLength(1);
    const verdict = importVerdictSchema.parse(own[0]);
    verdictOf.set(file, verdict);
    if (expected !== 'either') expect(`${verdict.verdict}: ${verdict.text}`).toMatch(new RegExp(`^${expected}ed: `));
    checkText(verdict);
    if (verdict.verdict === 'accepted') await checkReadable(given, verdict, reference.tensors);
  });

  it('gives the same verdicts when all are given at once, twice', { timeout: 60_000 }, async () => {
    const paths = cases.map(({ file }) => pathOf(file));
    const verdicts = await inspectPaths([...paths, ...paths]);
    expect(verdicts.filter(({ path: at }) => paths.includes(at))).toEqual(cases.map(({ file }) => verdictOf.get(file)));
  });
});

/** Nothing outside the dropped folder, or the folder of a dropped file, is touched; no buffer is longer than its file. */
function checkAccess(given: string): void {
  const folder = statSync(given).isDirectory() ? given : path.dirname(given);
  const inside = (one: string): boolean => one === folder || path.resolve(one).startsWith(folder + path.sep);
  expect(access.paths.filter((one) => !inside(one))).toEqual([]);
  const sizes = access.opened.map((one) => statSync(one).size);
  expect(access.longestBuffer).toBeLessThanOrEqual(Math.max(0, ...sizes));
}

function checkText(verdict: ImportVerdict): void {
  const texts = [verdict.text, ...verdict.warnings];
  for (const text of texts) {
    expect(text).toMatch(/^\S.{20,}\.$/s);
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text.length).toBeLessThan(1_000);
  }
  if (verdict.verdict === 'accepted') {
    expect(verdict.summary).not.toBeNull();
    return;
  }
  expect(verdict.summary).toBeNull();
  expect(Object.keys(importCodes)).toContain(verdict.code);
  // The fact, then at least one sentence that tells what to do.
  const sentences = verdict.text.split(/(?<=[.])\s+(?=[A-Z])/);
  expect(sentences.length).toBeGreaterThanOrEqual(2);
  expect(sentences.slice(1).join(' ')).toMatch(
    /\b(Check|Copy|Download|Drop|Fetch|Rename|Replace|Save|Split|Take|Try|Unpack|Use|Write)\b/,
  );
}

/** What is accepted can be read: as bytes, and as float32 where it is floating point. */
async function checkReadable(given: string, verdict: ImportVerdict, tensors: number | undefined): Promise<void> {
  const checkpoint = await openCheckpoint(given);
  try {
    expect(verdict.summary).toMatchObject({ tensors: checkpoint.tensors.size, bytes: checkpoint.bytes });
    if (tensors !== undefined) expect(checkpoint.tensors.size).toBe(tensors);
    for (const { name, dtype, elements, begin, end } of checkpoint.tensors.values()) {
      expect((await checkpoint.readBytes(name)).byteLength).toBe(end - begin);
      if (isFloatDtype(dtype)) expect(await checkpoint.read(name)).toHaveLength(elements);
      else await expect(checkpoint.read(name)).rejects.toMatchObject({ code: 'CHECKPOINT_UNSUPPORTED' });
    }
  } finally {
    await checkpoint.close();
  }
}

const indexCases = cases.filter(({ file }) => statSync(pathOf(file), { throwIfNoEntry: false })?.isDirectory());

describe.skipIf(indexCases.length === 0)('indexes', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'rotascope-import-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(indexCases)('$file: nothing around its folder changes the verdict', async ({ file }) => {
    // Alone in another folder: what the index could reach outside is gone.
    const copy = path.join(folder, file);
    cpSync(pathOf(file), copy, { recursive: true });
    const [verdict] = await inspectPaths([copy]);
    expect({ ...verdict, path: pathOf(file) }).toEqual(verdictOf.get(file));
  });

  it('never opens a file outside the folder of the index', async () => {
    forgetAccess();
    for (const { file } of indexCases) await inspectPaths([pathOf(file)]);
    const folders = indexCases.map(({ file }) => pathOf(file) + path.sep);
    expect(access.opened.length).toBeGreaterThan(0);
    expect(access.opened.filter((one) => !folders.some((allowed) => one.startsWith(allowed)))).toEqual([]);
  });
});
