/** What the token-level tasks share: ids by text, and the draw of a document's format. */
import type { PretrainSettings } from '../../contract/settings.ts';
import type { Philox } from '../random/philox.ts';

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

/** A format of the pretraining mixture, by its weight. */
export function drawFormat(mixture: PretrainSettings['mixture'], random: Philox): Format {
  const entries = Object.entries(mixture) as [Format, number][];
  let left = random.uniform() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [format, weight] of entries) if ((left -= weight) < 0) return format;
  return entries.at(-1)![0];
}
