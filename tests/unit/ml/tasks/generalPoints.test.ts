import { describe, expect, it } from 'vitest';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { cardValue, drawCards } from '../../../../main/ml/tasks/generalPoints/cards.ts';
import { parseFormula } from '../../../../main/ml/tasks/generalPoints/formula.ts';
import { type Hand, generalPoints, promptText } from '../../../../main/ml/tasks/generalPoints/generalPoints.ts';
import { isSolvable, solveHand } from '../../../../main/ml/tasks/generalPoints/solver.ts';
import { publishedRewards, verifyAnswer } from '../../../../main/ml/tasks/generalPoints/verifyAnswer.ts';
import type { TextEpisode } from '../../../../main/ml/tasks/textTask.ts';

function* multisets(largest: number): Generator<number[]> {
  for (let a = 1; a <= largest; a++)
    for (let b = a; b <= largest; b++)
      for (let c = b; c <= largest; c++) for (let d = c; d <= largest; d++) yield [a, b, c, d];
}
const task = generalPoints();
const episode = (split: 'inDist' | 'ood', ranks: number[], formula: string): TextEpisode<Hand> => ({
  task: 'generalPoints',
  split,
  keys: { multiset: '', ordered: '' },
  problem: { ranks, formula },
});

describe('solver', () => {
  it('finds 566 of 715 hands of 1..10, 1362 of 1820 of 1..13, and 1236 with face cards as 10', () => {
    const solvable = (hands: number[][]): number => hands.filter((hand) => isSolvable(hand, 24)).length;
    const [tens, all] = [[...multisets(10)], [...multisets(13)]];
    expect([tens.length, solvable(tens)]).toEqual([715, 566]);
    expect([all.length, solvable(all)]).toEqual([1820, 1362]);
    expect(solvable(all.map((ranks) => ranks.map((rank) => cardValue(rank, 'inDist'))))).toBe(1236);
  });
  it('solves thousands of hands a second', () => {
    const hands = [...multisets(13)];
    // the time of this process alone: other tests run beside it
    const started = process.cpuUsage();
    for (const hand of hands) isSolvable(hand, 24);
    const { user, system } = process.cpuUsage(started);
    expect(hands.length / ((user + system) / 1e6)).toBeGreaterThan(2000);
  });
  it('solves the hand that floating point cannot', () => {
    expect(8 / (3 - 8 / 3)).not.toBe(24);
    expect(solveHand([3, 3, 8, 8], 24)).toEqual(['8/(3-8/3)']);
    const answer = task.examples(episode('inDist', [3, 8, 3, 8], '8/(3-8/3)'))[0]!.answer.text;
    expect(verifyAnswer(answer, [3, 8, 3, 8], 'inDist', 24, publishedRewards)).toMatchObject({ reward: 5 });
  });
  it('writes brackets only where the value needs them, and lists every order', () => {
    expect(solveHand([1, 2, 3], 7)).toEqual(['1+2*3', '1+3*2', '2*3+1', '3*2+1']);
    expect(solveHand([2, 3, 5], 4)).toEqual([
      '(3+5)/2',
      '(5+3)/2',
      '(5-3)*2',
      '2*(5-3)',
      '2+5-3',
      '2-(3-5)',
      '2-3+5',
      '5+2-3',
      '5-(3-2)',
      '5-3+2',
    ]);
    expect(solveHand([2, 4, 8], 1)).toEqual(['2*4/8', '2/(8/4)', '2/8*4', '4*2/8', '4/(8/2)', '4/8*2', '8/(2*4)', '8/(4*2)', '8/2/4', '8/4/2']); // prettier-ignore
    expect(solveHand([1, 1, 1, 1], 24)).toEqual([]);
  });
  it('lists nothing but formulas that its reader takes, and as many as binary trees have values (brute force)', () => {
    // strings over all orders, operators and bracketings, evaluated by JavaScript on a hand without fractions near 24
    const numbers = [2, 3, 5, 12];
    const shapes = ['((a.b).c).d', '(a.(b.c)).d', '(a.b).(c.d)', 'a.((b.c).d)', 'a.(b.(c.d))'];
    const solvedBy = new Set<string>();
    const orders = permutations(numbers);
    for (const shape of shapes)
      for (const order of orders)
        for (let code = 0; code < 64; code++) {
          let operator = 0;
          const filled = shape
            .replace(/[abcd]/g, (name) => String(order['abcd'.indexOf(name)]))
            .replace(/\./g, () => '+-*/'[(code >> (2 * operator++)) & 3]!);
          // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
          if (Math.abs((new Function(`return ${filled}`)() as number) - 24) < 1e-9) solvedBy.add(filled);
        }
    const listed = solveHand(numbers, 24);
    // every bracketed solution is one of ours once needless brackets are left out, and the other way round
    const values = (text: string): string => canonical(text);
    expect(new Set(listed.map(values))).toEqual(new Set([...solvedBy].map(values)));
    for (const text of listed) expect(typeof parseFormula(text)).toBe('object');
  });
});

function permutations(items: number[]): number[][] {
  if (items.length < 2) return [items];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

/** A formula as a polynomial-like normal form: its value at other numbers put in place of its own. */
function canonical(text: string): string {
  const replaced = text.replace(/\d+/g, (n) => String(Math.sqrt(Number(n) + 0.37)));
  const order = text.replace(/[^\d]+/g, ' ').trim();
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
  return `${order} ${(new Function(`return ${replaced}`)() as number).toFixed(6)}`;
}

describe('prompt and answer', () => {
  it('are those of the published environment', () => {
    const prompt = (split: 'inDist' | 'ood'): string => promptText([2, 12, 7, 1], split, 24);
    expect(prompt('inDist').split('\n').slice(0, 7)).toEqual([
      '[Task Description]',
      'You are an expert 24 points card game player. You will receive a set of 4 cards.',
      "Note that 'J', 'Q', and 'K' count as '10', and each card must be used once.",
      "Your goal is to output a formula that evaluates to 24 using numbers from the cards and operators such as '+', '-', '*', '/', '(', ')', and '='.",
      '',
      '[Input]',
      "Cards: ['2', 'Q', '7', 'A']",
    ]);
    const faces = "'J', 'Q', and 'K' count as '11', '12', and '13' respectively";
    expect(prompt('ood')).toBe(prompt('inDist').replaceAll("'J', 'Q', and 'K' count as '10'", faces));
    expect(prompt('ood').split(faces)).toHaveLength(3);
    const { answer } = task.examples(episode('ood', [1, 3, 13, 6], '(13-1)/3*6'))[0]!;
    expect(answer.text).toBe(
      `{\n  "cards": ['A', '3', 'K', '6'],\n  "number": [1, 3, 13, 6],\n  "formula": "(13-1)/3*6=24",\n}`,
    );
    expect(answer.text.slice(0, answer.forcedChars).endsWith('"formula": "')).toBe(true);
  });
});

describe('deals', () => {
  it('have a face card on ood, equally often in every place, and uniform cards otherwise', () => {
    const count = 20_000;
    const faces = [0, 0, 0, 0];
    const ranks = new Array<number>(14).fill(0);
    for (let i = 0; i < count; i++) {
      const ood = drawCards('ood', new Philox('deal', i));
      expect(Math.max(...ood)).toBeGreaterThan(10);
      ood.forEach((rank, place) => (faces[place]! += rank > 10 ? 1 : 0));
      for (const rank of drawCards('inDist', new Philox('deal', i))) ranks[rank]!++;
    }
    // a place holds the extra face card with 1/4, else one of 1..13
    const share = 1 / 4 + (3 / 4) * (3 / 13);
    for (const n of faces)
      expect(Math.abs(n / count - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / count));
    for (let rank = 1; rank <= 13; rank++)
      expect(Math.abs(ranks[rank]! / (4 * count) - 1 / 13)).toBeLessThan(5 * Math.sqrt(12 / 169 / (4 * count)));
  });
  it('have 529 hands with a face card that are solvable under both rules', () => {
    const both = [...multisets(13)].filter(
      (ranks) =>
        Math.max(...ranks) > 10 &&
        isSolvable(
          ranks.map((rank) => Math.min(rank, 10)),
          24,
        ) &&
        isSolvable(ranks, 24),
    );
    expect(both).toHaveLength(529);
  });
  it('hold out whole classes of hands: equal numbers under the inDist rule', () => {
    const classOf = ({ problem }: TextEpisode<Hand>): string =>
      problem.ranks
        .map((rank) => Math.min(rank, 10))
        .sort((a, b) => a - b)
        .join();
    const heldOut = new Set((['inDist', 'ood'] as const).flatMap((s) => task.heldOutEpisodes(s, 600, 1)).map(classOf));
    for (let i = 0; i < 3000; i++)
      expect(heldOut.has(classOf(task.trainingEpisode(i % 2 ? 'ood' : 'inDist', new Philox('classes', i))))).toBe(
        false,
      );
  });
});

describe('verifier', () => {
  const judge = (formula: string, number = '[1, 3, 10, 6]', split: 'inDist' | 'ood' = 'inDist') =>
    verifyAnswer(
      `{"cards": [], "number": ${number}, "formula": "${formula}"}`,
      [1, 3, 13, 6],
      split,
      24,
      publishedRewards,
    );
  it('judges a formula by the numbers that the answer states: formula given number', () => {
    expect(judge('10*3-6/1=24')).toMatchObject({ correct: true, numberOk: true, formulaOk: true });
    // 2, 3, 4, 1 are not on the cards, and make 24
    expect(judge('2*3*4/1=24', '[2, 3, 4, 1]')).toMatchObject({ correct: false, numberOk: false, formulaOk: true });
    expect(judge('10*3-6/1=24', '[2, 3, 4, 1]')).toMatchObject({ correct: true, numberOk: false, formulaOk: false });
    expect(judge('10+3-6/1=24')).toMatchObject({ correct: false, numberOk: true, formulaOk: false });
    expect(judge('10*3-6/1=24', 'null')).toMatchObject({ correct: true, numberOk: false, formulaOk: true });
  });
  it('tells a rule slip from another wrong answer', () => {
    expect(judge('10*3-6/1=24', '[1, 3, 10, 6]', 'ood')).toMatchObject({
      reason: 'number_not_on_cards',
      ruleSlip: true,
    });
    expect(judge('10*3-6+1=24', '[1, 3, 10, 6]', 'ood')).toMatchObject({
      reason: 'number_not_on_cards',
      ruleSlip: false,
    });
    expect(judge('6*(13-1)/3=24')).toMatchObject({ correct: false, ruleSlip: true });
    expect(judge('6*(13-1)/3=24', '[1, 3, 13, 6]', 'ood')).toMatchObject({ correct: true, ruleSlip: false });
  });
  it('adds the step limit to the last of five attempts, and not to a single one', () => {
    const five = task.open(episode('inDist', [1, 3, 13, 6], '10*3-6/1'), { attempts: 5 });
    const wrong = '{"formula": "10+3-6/1=24"}';
    expect([1, 2, 3, 4, 5].map(() => five.step(wrong).reward)).toEqual([-1, -1, -1, -1, -2]);
    expect(task.open(episode('inDist', [1, 3, 13, 6], '10*3-6/1'), { attempts: 1 }).step(wrong).reward).toBe(-1);
  });
  it('plays for another target', () => {
    const other = generalPoints({ target: 36 });
    const [dealt] = other.heldOutEpisodes('ood', 1, 5);
    const { prompt, answer } = other.examples(dealt!)[0]!;
    expect(prompt[0]!.content).toContain('expert 36 points');
    expect(other.verify(dealt!, answer.text, 0)).toMatchObject({ correct: true });
    expect(task.verify(dealt!, answer.text, 0)).toMatchObject({ correct: false, reason: 'right_hand_side_is_not_24' });
  });
});
