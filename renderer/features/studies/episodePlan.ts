/** The words and numbers of the episode planner, from what was typed. */
import {
  detectableRise,
  episodesNeeded,
  independentDisagreement,
  pairedEpisodesNeeded,
} from '../../../main/contract/episodesNeeded.ts';
import { percent } from '../../figures/quantities.ts';

export type EpisodePlan =
  | { ok: false; message: string }
  | {
      ok: true;
      /** The two accuracies, 0..1. */
      low: number;
      high: number;
      /** The disagreement is that of unrelated answers. */
      assumed: boolean;
      paired: number;
      pairedTwoSided: number;
      unpaired: number;
      unpairedTwoSided: number;
      /** Evaluation episodes a split: twice the paired number, so that the reporting half has it. */
      setting: number;
    };

const shareOf = (text: string): number => (text.trim() === '' ? NaN : Number(text) / 100);
const no = (message: string): EpisodePlan => ({ ok: false, message });

/** @param accuracyText, disagreementText percent; differenceText points. An empty disagreement is that of unrelated answers */
export function planEpisodes(accuracyText: string, differenceText: string, disagreementText: string): EpisodePlan {
  const [low, difference] = [shareOf(accuracyText), Math.abs(shareOf(differenceText))];
  if (!(low >= 0 && low <= 1)) return no('The accuracy is a number from 0 to 100.');
  if (!(difference > 0)) return no('The difference is a number above 0.');
  const high = low + difference;
  if (high > 1)
    return no(`${percent(low)} and ${percent(difference)} more are above 100 %: take a smaller difference.`);
  const assumed = disagreementText.trim() === '';
  const disagreement = assumed ? independentDisagreement(low, high) : shareOf(disagreementText);
  if (!(disagreement >= difference - 1e-12 && disagreement <= 1))
    return no('Answers disagree on as many episodes as the difference at least, and on 100 % at most.');
  const paired = pairedEpisodesNeeded(difference, disagreement);
  return {
    ok: true,
    low,
    high,
    assumed,
    paired,
    pairedTwoSided: pairedEpisodesNeeded(difference, disagreement, { sides: 2 }),
    unpaired: episodesNeeded(low, high),
    unpairedTwoSided: episodesNeeded(low, high, { sides: 2 }),
    setting: 2 * paired,
  };
}

/** What the planned number tells; null where it cannot be said. @param episodes evaluation episodes a split */
export function plannedRise(accuracyText: string, episodes: number): string | null {
  const base = shareOf(accuracyText);
  if (!(base >= 0 && base < 1) || !(episodes >= 4)) return null;
  const rise = detectableRise(base, Math.floor(episodes / 2));
  const planned = `The ${episodes.toLocaleString('en')} evaluation episodes that are set`;
  if (rise === null) return `${planned} tell no rise from ${percent(base)}.`;
  return `${planned} tell a rise from ${percent(base)} to ${percent(base + rise)} or more, also where answers are unrelated.`;
}
