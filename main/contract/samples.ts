/** Answers that an evaluation in text has kept, a page at a time: what was asked, what was answered, how it was judged. */
import { z } from 'zod';
import { taskSettingsSchema } from './settings.ts';

/** `answer`: counted. `forced`: the reference's beginning was given. `passAtK`: one of several independent samples. */
export const sampleKinds = ['answer', 'forced', 'passAtK'] as const;
export const sampleKindSchema = z.enum(sampleKinds);
export type SampleKind = z.infer<typeof sampleKindSchema>;

/** `slip`: wrong here, right under the other split's rule. */
export const sampleFilters = ['all', 'right', 'wrong', 'slip'] as const;
export const sampleFilterSchema = z.enum(sampleFilters);
export type SampleFilter = z.infer<typeof sampleFilterSchema>;

const split = z.enum(['inDist', 'ood']);
const index = z.number().int().min(0);

export const answerSampleSchema = z.object({
  kind: sampleKindSchema,
  split,
  /** Index in the frozen set of the split: the same problem at every checkpoint. */
  episode: index,
  /** The problem in any order of its parts, and as it is asked. */
  keys: z.object({ multiset: z.string(), ordered: z.string() }),
  /** Which of several independent dialogues. */
  sample: index,
  /** Answers before it in its dialogue; of a forced answer its position. */
  turn: index,
  messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })),
  /** Given to the model as the beginning of its answer, which `answer` contains. */
  given: z.string(),
  answer: z.string(),
  /** The model ended it; otherwise it was cut off. */
  ended: z.boolean(),
  /** The published name of the verdict, e.g. CORRECT_SOLUTION; finer in `reason`. */
  verdict: z.string(),
  reason: z.string(),
  reward: z.number(),
  correct: z.boolean(),
  ruleSlip: z.boolean(),
});
export type AnswerSample = z.infer<typeof answerSampleSchema>;

/** Which of a job's evaluations: a step (SFT), an iteration (RL), or the content of a point (of a sweep), SHA-256 in hex. */
export const sampledAtSchema = z.union([index, z.string().regex(/^[0-9a-f]{64}$/)]);
export type SampledAt = z.infer<typeof sampledAtSchema>;

/** Where answers are. */
export const answersPlaceSchema = z.object({ jobId: z.string(), at: sampledAtSchema });
export type AnswersPlace = z.infer<typeof answersPlaceSchema>;

export const sampleQuerySchema = z.object({
  kind: sampleKindSchema.default('answer'),
  split,
  filter: sampleFilterSchema.default('all'),
  /** Of this episode alone; null: of all. */
  episode: index.nullable().default(null),
  /** Of those that pass the filter, from 0. */
  offset: index.default(0),
  limit: z.number().int().min(1).max(200).default(50),
});
export type SampleQuery = z.infer<typeof sampleQuerySchema>;

/** How much of a held-out set stands in the training data. */
export const overlapSchema = z.object({
  /** Held-out episodes. */
  episodes: index,
  /** Of these, how many have their multiset, and how many their ordered prompt, in the training data. */
  sharedMultisets: index,
  sharedPrompts: index,
  /** Distinct problems in the training data. */
  trainingMultisets: index,
  trainingPrompts: index,
  /** Training examples in which no problem of the task was found: they are compared with nothing. */
  unreadExamples: index,
});
export type Overlap = z.infer<typeof overlapSchema>;

/** What SFT in text has learned from. */
export const trainingDataSchema = z.object({
  /** Null: generated from the task. */
  file: z.string().nullable(),
  examples: index,
  /** How often each example is seen, on average. */
  epochs: z.number(),
  /** Lines of the file that could not be read, or came after the most that are read. */
  badLines: index,
  ignoredLines: index,
  overlap: z.object({ inDist: overlapSchema, ood: overlapSchema }),
});
export type TrainingData = z.infer<typeof trainingDataSchema>;

export const sampleCalls = {
  /** Steps (SFT) or iterations (RL) of a job at which answers were kept, ascending; none for tasks in tokens. */
  'samples.steps': { input: z.object({ jobId: z.string() }), output: z.object({ steps: z.array(index) }) },
  'samples.read': {
    input: sampleQuerySchema.extend(answersPlaceSchema.shape),
    output: z.object({ total: index, samples: z.array(answerSampleSchema) }),
  },
  /** Reads a file of SFT data as a study would: how many examples, and which lines are wrong. */
  'sftData.check': {
    input: z.object({ path: z.string().min(1) }),
    output: z.object({
      examples: index,
      badLines: index,
      /** The first 20, lines from 1. */
      errors: z.array(z.object({ line: index, message: z.string() })),
      ignoredLines: index,
    }),
  },
  /** Generated SFT data as JSONL, some whole episodes at a time: the lines of `rotascope sft-data`, in its order. */
  'sftData.lines': {
    input: z.object({
      task: taskSettingsSchema,
      split: z.enum(['inDist', 'ood']),
      seed: index,
      /** 0 at first, then what the last call gave as `nextEpisode`. */
      episode: index,
      /** At least so many lines. */
      examples: z.number().int().min(1).max(500),
    }),
    output: z.object({ lines: z.array(z.string()), nextEpisode: index }),
  },
} as const;
