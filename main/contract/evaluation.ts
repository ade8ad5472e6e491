/** What one evaluation of one checkpoint says. Counts, not percentages: intervals need k and n. */
import { z } from 'zod';

/**
 * One split (`inDist` or `ood`), acc@1, greedy unless said. `outcomes`, `forcedOutcomes` hold one character
 * an episode ('1' right, '0' wrong) in the frozen order, so that checkpoints can be compared pair by pair.
 * The first n/2 episodes are the selection half, the rest the reporting half.
 */
export const splitScoreSchema = z.object({
  n: z.number().int(),
  correct: z.number().int(),
  formatOk: z.number().int(),
  numberOk: z.number().int(),
  /** Right with the correct CARDS + NUMBER prefix given: pure arithmetic. */
  forcedCorrect: z.number().int(),
  /** Answers on OOD that are right under the ID rule (0 on inDist). */
  ruleSlips: z.number().int(),
  outcomes: z.string().regex(/^[01]*$/),
  forcedOutcomes: z.string().regex(/^[01]*$/),
  /** Mean token cross-entropy on the reference answers, nats, teacher-forced; by step of the answer. */
  loss: z.number(),
  formatLoss: z.number(),
  numberLoss: z.number(),
  formulaLoss: z.number(),
});
export type SplitScore = z.infer<typeof splitScoreSchema>;

export const evaluationSchema = z.object({
  inDist: splitScoreSchema,
  ood: splitScoreSchema,
  /** Loss on the first SFT examples; absent outside SFT. */
  trainLoss: z.number().optional(),
});
export type Evaluation = z.infer<typeof evaluationSchema>;
