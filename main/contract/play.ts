/** A checkpoint asked one question that a person has typed: what can be asked, and what an answer says, token by token. */
import { z } from 'zod';

const split = z.enum(['inDist', 'ood']);
export type PlaySplit = z.infer<typeof split>;

/** Characters of what is typed into a field. */
export const longestInput = 20_000;
/** Tokens of one answer. */
export const mostAnswerTokens = 2048;

/** What a person fills in; `choices` empty: free text, as `hint` says. */
export const playFieldSchema = z.object({
  name: z.string(),
  label: z.string(),
  choices: z.array(z.string()),
  hint: z.string(),
  /** Text of several lines. */
  long: z.boolean().optional(),
  /** Until something else is typed or chosen. */
  initial: z.string().optional(),
});
export type PlayField = z.infer<typeof playFieldSchema>;

export const playTaskSchema = z.object({
  name: z.string(),
  label: z.string(),
  fields: z.array(playFieldSchema),
  /** What the rule of each split says; null where a question has no split. */
  rules: z.object({ inDist: z.string(), ood: z.string() }).nullable(),
  /** A random question can be drawn. */
  hasExample: z.boolean(),
  /** The answer is text and its length is the asker's to limit; else words of the task, as many as it has. */
  inText: z.boolean(),
  /** Why this checkpoint cannot be asked, in whole sentences; null when it can. */
  reason: z.string().nullable(),
});
export type PlayTaskInfo = z.infer<typeof playTaskSchema>;

export const playTokenSchema = z.object({
  /** Empty where it is a part of a character that the next token ends. */
  text: z.string(),
  /** Given everything before it, at temperature 1, 0..1. */
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
  promptTokens: z.number().int(),
  /** Tokens that the model is configured for, prompt and answer together. */
  positions: z.number().int(),
  tokens: z.array(playTokenSchema),
  /** By the model itself; else by the most tokens. */
  ended: z.boolean(),
  /** Of the task's checker; null where nothing is checked. */
  verdict: z
    .object({
      correct: z.boolean(),
      /** Why it is right or wrong, in a sentence. */
      reason: z.string(),
      /** A right answer; null where there is none. */
      expected: z.string().nullable(),
    })
    .nullable(),
});
export type PlayAnswer = z.infer<typeof playAnswerSchema>;

const inputs = z.record(z.string(), z.string().max(longestInput));
export const playQuestionSchema = z.object({
  checkpointId: z.string(),
  /** Names this question: its tokens come in events `answer`, and it is what `play.cancel` ends. */
  ask: z.string().min(1).max(100),
  task: z.string(),
  split,
  inputs,
  /** 0: greedy. */
  temperature: z.number().min(0).max(5).default(0),
  /** Of sampled tokens: equal questions have equal answers. */
  seed: z.number().int().nonnegative().default(0),
  /** Of answers in text. */
  mostTokens: z.number().int().min(1).max(mostAnswerTokens).default(256),
});

export const playCalls = {
  'play.tasks': { input: z.object({ checkpointId: z.string() }), output: z.array(playTaskSchema) },
  /** Fields filled with a random question. */
  'play.example': { input: z.object({ task: z.string() }), output: inputs },
  /** By a process of its own: seconds or more for the first question, in which the model is loaded, then at once. */
  'play.ask': { input: playQuestionSchema, output: playAnswerSchema },
  /** Ends a question that is being answered; it fails with CANCELLED. */
  'play.cancel': { input: z.object({ ask: z.string() }), output: z.object({ ok: z.literal(true) }) },
} as const;

/** Tokens of an answer that is on its way, from the first one that has not been told. */
export const answerEventSchema = z.object({
  type: z.literal('answer'),
  ask: z.string(),
  /** Index of the first of them. */
  at: z.number().int(),
  tokens: z.array(playTokenSchema),
});
