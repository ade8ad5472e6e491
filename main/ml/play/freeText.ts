/** A prompt of one's own: through the chat template where the checkpoint has one, or as it is. Nothing is checked. */
import type { PlayField } from '../../contract/play.ts';
import { configuredEnds } from '../text/chatCodec.ts';
import type { AskedCheckpoint } from './askedCheckpoint.ts';
import type { PlayTask } from './playTask.ts';
import { spokenAnswer, whyNotSpokenTo } from './spokenAnswer.ts';
import { fieldValue } from './fieldValue.ts';
import type { AnswerRequest } from './watchedAnswer.ts';

const promptField: PlayField = {
  name: 'prompt',
  label: 'Prompt',
  choices: [],
  hint: 'Any text.',
  long: true,
};
const asItIs = 'leave the text as it is';
const throughTemplate = 'use it where there is one';
const templateField: PlayField = {
  name: 'template',
  label: 'Chat template',
  choices: [throughTemplate, asItIs],
  hint: '',
  initial: throughTemplate,
};

export const freeText: PlayTask = {
  name: 'freeText',
  label: 'Free text',
  fields: [templateField, promptField],
  rules: null,
  inText: true,
  example: null,
  whyNot: (checkpoint) => whyNotSpokenTo(checkpoint, false),
  async ask(asked, { inputs, ...drawing }, watching) {
    fieldValue(promptField, inputs);
    const asking = await promptOf(asked, inputs['prompt']!, inputs['template'] === asItIs);
    const { answer } = await spokenAnswer(asked, asking, drawing, watching);
    return { ...answer, verdict: null };
  },
};

async function promptOf(
  asked: AskedCheckpoint,
  text: string,
  raw: boolean,
): Promise<Pick<AnswerRequest, 'prompt' | 'stopIds'>> {
  const tokenizer = await asked.tokenizer();
  if (!raw && tokenizer.hasChatTemplate) {
    const codec = await asked.codec();
    return { prompt: codec.promptIds([{ role: 'user', content: text }]), stopIds: codec.stopIds };
  }
  const eos = tokenizer.eosToken === null ? null : tokenizer.idOf(tokenizer.eosToken);
  const stopIds = await configuredEnds(asked.folder);
  return { prompt: tokenizer.encode(text), stopIds: eos === null ? stopIds : [...stopIds, eos] };
}
