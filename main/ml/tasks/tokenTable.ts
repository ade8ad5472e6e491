/** What the token-level tasks share: ids by text, and what is drawn of a pretraining document before its problem. */
import type { PretrainSettings } from '../../contract/settings.ts';
import type { Philox } from '../random/philox.ts';
import type { Split } from './task.ts';

/** @returns the id of a text. @throws RangeError it is not in the vocabulary */
export function tokenTable(vocabulary: readonly string[]): (text: string) => number {
  const ids = new Map(vocabulary.map((text, id) => [text, id]));
  return (text) => {
    const id = ids.get(text);
    if (id === undefined) throw new RangeError(`No token "${text}" in the vocabulary.`);
    return id;
  };
}

type Format = keyof PretrainSettings['mixture'];

/** A pretraining document before its problem is drawn. */
export interface DocumentDraw {
  /** The rule that the rule token names, and the one that is followed. */
  named: Split;
  used: Split;
  format: Format;
  /** The problem has to show the rule: a face card, a turn. */
  showsRule: boolean;
}

export function drawDocument(settings: PretrainSettings, random: Philox): DocumentDraw {
  const named: Split = random.uniform() < settings.oodRuleShare ? 'ood' : 'inDist';
  const format = drawFormat(settings.mixture, random);
  const showsRule = random.uniform() < settings.faceShare;
  // rule noise: now and then a document follows the other rule than its rule token says
  const other: Split = named === 'ood' ? 'inDist' : 'ood';
  const used = random.uniform() < settings.ruleNoise ? other : named;
  return { named, used, format, showsRule };
}

/** A format of the pretraining mixture, by its weight. */
function drawFormat(mixture: PretrainSettings['mixture'], random: Philox): Format {
  const entries = Object.entries(mixture) as [Format, number][];
  let left = random.uniform() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [format, weight] of entries) if ((left -= weight) < 0) return format;
  return entries.at(-1)![0];
}
