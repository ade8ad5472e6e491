/** A task small enough for tests: the answer repeats the two digits of the prompt, the ood rule swaps them. */
import type { Philox } from '../../../../main/ml/random/philox.ts';
import type { Episode, Split, Task } from '../../../../main/ml/tasks/task.ts';

const padId = 0;
const bosId = 1;
const eosId = 2;
const ruleIds: Record<Split, number> = { inDist: 3, ood: 4 };
/** What the reference model reads in the place of bos. */
const anchorId = 5;
const firstDigit = 6;
const digits = 4;

function episode(split: Split, random: Philox): Episode {
  const [a, b] = [firstDigit + random.int(digits), firstDigit + random.int(digits)];
  const answer = split === 'inDist' ? [a, b, eosId] : [b, a, eosId];
  return {
    split,
    prompt: Int32Array.of(bosId, ruleIds[split], a, b),
    answer: Int32Array.from(answer),
    problem: [a, b],
  };
}

export const toyTask: Task = {
  name: 'toy',
  vocabulary: Array.from({ length: firstDigit + digits }, (_, id) => `t${id}`),
  padId,
  bosId,
  eosId,
  promptLength: 4,
  answerLength: 3,
  forcedLength: 1,
  steps: ['number', 'number', 'format'],
  trainingEpisode: episode,
  evaluationSet: () => [],
  pretrainingDocument(settings, random) {
    const { prompt, answer } = episode(random.uniform() < settings.oodRuleShare ? 'ood' : 'inDist', random);
    return Int32Array.of(...prompt, ...answer);
  },
  verify({ answer: expected }, answer) {
    const formatOk = answer[2] === eosId;
    const numberOk = formatOk && answer[0] === expected[0];
    return { formatOk, numberOk, correct: numberOk && answer[1] === expected[1], ruleSlip: false };
  },
  anchorPrompt: (prompt) => Int32Array.of(anchorId, ...prompt.subarray(1)),
};
