/** What one evaluation of one checkpoint says. Counts, not percentages: intervals need k and n. */
import { z } from 'zod';

/** What an evaluation in text says further of one split; counts are of episodes. */
export const textScoreSchema = z.object({
  /** By the last answer: the problem copied right, and a result that follows from what was written before it. */
  cardOk: z.number().int(),
  formulaOk: z.number().int(),
  /** The last answer is one JSON object. */
  strict: z.number().int(),
  /** The model ended all its answers itself; the others were cut off at the most tokens. */
  ended: z.number().int(),
  meanReward: z.number(),
  /** pass@1, pass@2, ...: unbiased, of independent sampled answers. */
  passAtK: z.array(z.number()).optional(),
  /** Mean probability of any right result, and of the one in the label, once everything before it is given. */
  mass: z.object({ positions: z.number().int(), any: z.number(), reference: z.number() }).optional(),
  /** Episodes whose problem is in the training data: in any order of its parts, and as it is asked. */
  overlap: z.object({ multisets: z.number().int(), prompts: z.number().int() }).optional(),
});
export type TextScore = z.infer<typeof textScoreSchema>;

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
  answers: textScoreSchema.optional(),
});
export type SplitScore = z.infer<typeof splitScoreSchema>;

export const evaluationSchema = z.object({
  inDist: splitScoreSchema,
  ood: splitScoreSchema,
  /** Loss on the first SFT examples; absent outside SFT. */
  trainLoss: z.number().optional(),
  /** How text was asked for; absent: acc@1, greedy, in tokens. */
  text: z
    .object({
      /** 1: acc@1; k: acc@k-feedback. */
      attempts: z.number().int(),
      decoding: z.object({ mode: z.enum(['greedy', 'sample']), temperature: z.number(), topP: z.number() }),
      maxNewTokens: z.number().int(),
      seed: z.number().int(),
    })
    .optional(),
});
export type Evaluation = z.infer<typeof evaluationSchema>;
