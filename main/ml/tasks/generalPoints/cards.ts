/** Cards of rank 1..13, what they count under each rule, and their text. */
import type { Philox } from '../../random/philox.ts';
import type { Split } from '../task.ts';

export const cardsInHand = 4;

/** inDist: J, Q, K count 10; ood: 11, 12, 13. */
export function cardValue(rank: number, split: Split): number {
  return split === 'inDist' ? Math.min(rank, 10) : rank;
}

const faces = new Map([
  [1, 'A'],
  [11, 'J'],
  [12, 'Q'],
  [13, 'K'],
]);

export const cardName = (rank: number): string => faces.get(rank) ?? String(rank);

/** The rank of a card's name; null when it names none. Ace is "A" or "1"; J, Q, K are letters only. */
export function cardRank(name: string): number | null {
  const text = name.trim().toUpperCase();
  for (const [rank, face] of faces) if (face === text) return rank;
  const rank = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  return rank >= 1 && rank <= 10 && String(rank) === text ? rank : null;
}

/** inDist: four independent draws from 1..13; ood: three, and one of the face cards, shuffled. [4] */
export function drawCards(split: Split, random: Philox): number[] {
  const draw = (): number => 1 + random.int(13);
  if (split === 'inDist') return [draw(), draw(), draw(), draw()];
  const cards = [draw(), draw(), draw(), 11 + random.int(3)];
  return Array.from(random.permutation(cardsInHand), (i) => cards[i]!);
}
