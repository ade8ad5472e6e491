/** A checkpoint asked one question that a person has typed: what can be asked, and what an answer says, token by token. */
import { z } from 'zod';

const split = z.enum(['inDist', 'ood']);
export type PlaySplit = z.infer<typeof split>;

/** What a person fills in; `choices` empty: free text, as `hint` says. */
export const playFieldSchema = z.object({
  name: z.string(),
  label: z.string(),
  choices: z.array(z.string()),
  hint: z.string(),
});
export type PlayField = z.infer<typeof playFieldSchema>;

export const playTaskSchema = z.object({
  name: z.string(),
  label: z.string(),
  fields: z.array(playFieldSchema),
  /** What the rule of each split says. */
  rules: z.object({ inDist: z.string(), ood: z.string() }),
  /** Why this checkpoint cannot be asked, in whole sentences; null when it can. */
  reason: z.string().nullable(),
});
export type PlayTaskInfo = z.infer<typeof playTaskSchema>;

export const playTokenSchema = z.object({
  text: z.string(),
  /** Given everything before it, 0..1. */
  probability: z.number(),
  /** What the token is part of: "number"; empty where the task does not say. */
  step: z.string(),
  /** The likeliest tokens here, itself among them where it is one, likeliest first. */
  alternatives: z.array(z.object({ text: z.string(), probability: z.number() })),
});
export type PlayToken = z.infer<typeof playTokenSchema>;

export const playAnswerSchema = z.object({
  /** What the model reads. */
  prompt: z.string(),
  tokens: z.array(playTokenSchema),
  correct: z.boolean(),
  /** Why it is right or wrong, in a sentence. */
  reason: z.string(),
  /** A right answer; null where there is none. */
  expected: z.string().nullable(),
});
export type PlayAnswer = z.infer<typeof playAnswerSchema>;

const inputs = z.record(z.string(), z.string().max(200));
export const playQuestionSchema = z.object({ checkpointId: z.string(), task: z.string(), split, inputs });

export const playCalls = {
  'play.tasks': { input: z.object({ checkpointId: z.string() }), output: z.array(playTaskSchema) },
  /** Fields filled with a random question. */
  'play.example': { input: z.object({ task: z.string() }), output: inputs },
  /** Greedy, by a process of its own: seconds for the first question, then at once. */
  'play.ask': { input: playQuestionSchema, output: playAnswerSchema },
  /** Ends what is being answered; it fails with CANCELLED. */
  'play.cancel': { input: z.object({}), output: z.object({ ok: z.literal(true) }) },
} as const;
