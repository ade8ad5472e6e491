/** GeneralPoints against an independent implementation in Python: solvability of every hand, and hand-labelled answers. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cardValue } from '../../../main/ml/tasks/generalPoints/cards.ts';
import { evaluateFormula, parseFormula } from '../../../main/ml/tasks/generalPoints/formula.ts';
import { isInteger } from '../../../main/ml/tasks/generalPoints/rational.ts';
import { isSolvable, solveHand } from '../../../main/ml/tasks/generalPoints/solver.ts';
import { publishedRewards, verifyAnswer } from '../../../main/ml/tasks/generalPoints/verifyAnswer.ts';
import type { Split } from '../../../main/ml/tasks/task.ts';
import { fixturePath, hasFixture, readJson } from '../fixtures.ts';

interface HandRow {
  ranks: number[];
  orderings: number;
  id: string | null;
  ood: string | null;
}
interface VerifierCase {
  name: string;
  rule: 'id' | 'ood';
  ranks: number[];
  target: number;
  output: string;
  expected: { verdict: string; reason: string; reward: number; cards_ok: boolean; number_ok: boolean };
  also_acceptable: string[];
}

const readLines = <T>(name: string): T[] =>
  readFileSync(fixturePath('gp', name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
const splitOf = { id: 'inDist', ood: 'ood' } as const satisfies Record<string, Split>;

describe.runIf(hasFixture('gp'))('GeneralPoints', () => {
  const hands = readLines<HandRow>('hands.jsonl');
  const counts = readJson<Record<string, number>>('gp', 'counts.json');
  const target = counts['target']!;

  it('finds the same hands solvable, and its solutions give the target exactly', () => {
    for (const { ranks, ...solution } of hands)
      for (const rule of ['id', 'ood'] as const) {
        const numbers = ranks.map((rank) => cardValue(rank, splitOf[rule]));
        const found = solveHand(numbers, target);
        expect(found.length > 0, `${ranks.join()} ${rule}`).toBe(solution[rule] !== null);
        expect(isSolvable(numbers, target), `${ranks.join()} ${rule}`).toBe(solution[rule] !== null);
        for (const text of found) {
          const formula = parseFormula(text);
          if (typeof formula === 'string') throw new Error(`${text} is read as ${formula}`);
          expect([...formula.numbers].sort((a, b) => a - b)).toEqual([...numbers].sort((a, b) => a - b));
          expect(isInteger(evaluateFormula(formula)!, target), text).toBe(true);
        }
      }
  });

  it('counts what the reference counts', () => {
    const solvable = (ranks: readonly number[], split: Split): boolean =>
      isSolvable(
        ranks.map((rank) => cardValue(rank, split)),
        target,
      );
    const orderings = (rows: HandRow[]): number => rows.reduce((sum, row) => sum + row.orderings, 0);
    const id = hands.filter(({ ranks }) => solvable(ranks, 'inDist'));
    const ood = hands.filter(({ ranks }) => solvable(ranks, 'ood'));
    const withFace = ({ ranks }: HandRow): boolean => Math.max(...ranks) > 10;
    const tens = hands.filter((row) => !withFace(row));
    expect(hands).toHaveLength(counts['hands']!);
    expect(id).toHaveLength(counts['solvable_id_face_is_10']!);
    expect(ood).toHaveLength(counts['solvable_ood_J11_Q12_K13']!);
    expect(tens).toHaveLength(counts['value_multisets_1_10']!);
    expect(tens.filter((row) => id.includes(row))).toHaveLength(counts['solvable_value_multisets_1_10']!);
    expect(id.filter(withFace)).toHaveLength(counts['solvable_id_with_face']!);
    expect(ood.filter(withFace)).toHaveLength(counts['solvable_ood_with_face']!);
    expect(orderings(id)).toBe(counts['ordered_deals_solvable_id']);
    expect(orderings(ood)).toBe(counts['ordered_deals_solvable_ood']);
  });

  it('judges every labelled answer as it is labelled', () => {
    const cases = readLines<VerifierCase>('verifier_cases.jsonl');
    expect(cases.length).toBeGreaterThan(0);
    for (const { name, rule, ranks, output, expected, also_acceptable: alsoAcceptable, ...labelled } of cases) {
      const got = verifyAnswer(output, ranks, splitOf[rule], labelled.target, publishedRewards);
      if (alsoAcceptable.includes(got.verdict)) continue;
      expect(
        {
          verdict: got.verdict,
          reason: got.reason,
          reward: got.reward,
          cards_ok: got.cardOk,
          number_ok: got.numberOk,
        },
        name,
      ).toEqual(expected);
    }
  });

  it('says how each answer was read', () => {
    const readings = readLines<VerifierCase>('verifier_cases.jsonl').map(({ name, output, ranks, rule }) => {
      const { reading, verdict } = verifyAnswer(output, ranks, splitOf[rule], target, publishedRewards);
      expect(reading === 'none', name).toBe(verdict === 'FORMAT_ERROR');
      return [name, reading] as const;
    });
    const readingOf = new Map(readings);
    if (readingOf.has('one_line_json')) expect(readingOf.get('one_line_json')).toBe('strict');
    if (readingOf.has('trailing_comma_as_trained')) expect(readingOf.get('trailing_comma_as_trained')).toBe('lenient');
  });
});
