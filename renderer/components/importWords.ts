/** What an import would do, in one line: "Import 3 checkpoints, 2.9 GB, Qwen2, steps 100-300". */
import type { ImportVerdict } from '../../main/contract/api.ts';
import { bytes } from '../figures/quantities.ts';

export const checkpointCount = (count: number): string => (count === 1 ? '1 checkpoint' : `${count} checkpoints`);

/** More kinds of models than these are not listed. */
const mostKinds = 2;

/** "Qwen2ForCausalLM" is a Qwen2; what is unknown stays so. */
const kindOf = (architecture: string): string => architecture.replace(/For(?:CausalLM|ConditionalGeneration)$/, '');

function stepWords(steps: readonly number[]): string {
  const [first, last] = [Math.min(...steps), Math.max(...steps)];
  return first === last ? `step ${first}` : `steps ${first}-${last}`;
}

/** @param accepted verdicts of what can be imported, at least one */
export function importTitle(accepted: readonly ImportVerdict[]): string {
  const summaries = accepted.flatMap(({ summary }) => summary ?? []);
  const kinds = [...new Set(summaries.map(({ architecture }) => kindOf(architecture)))].filter(Boolean);
  const steps = summaries.flatMap(({ step }) => step ?? []);
  const facts = [
    checkpointCount(accepted.length),
    bytes(summaries.reduce((sum, one) => sum + one.bytes, 0)),
    ...(kinds.length > 0 && kinds.length <= mostKinds ? [kinds.join(' and ')] : []),
    ...(steps.length > 0 ? [stepWords(steps)] : []),
  ];
  return `Import ${facts.join(', ')}`;
}
