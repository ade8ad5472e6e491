/** Dialogues of many episodes at a time: every open one is answered in one batch, judged, and asked on until all are done. */
import type { AnswerSample, SampleKind } from '../../contract/samples.ts';
import { Philox } from '../random/philox.ts';
import type { Split } from '../tasks/task.ts';
import type { TextEpisode, TextTask, TextVerdict } from '../tasks/textTask.ts';
import type { BatchOptions, TextDecoding, TextModel } from '../text/textModel.ts';

export interface DecodingSettings {
  mode: 'greedy' | 'sample';
  temperature: number;
  topP: number;
}

export interface DialogueRun {
  success: boolean;
  /** Of all its answers. */
  reward: number;
  /** Of the last answer. */
  verdict: TextVerdict;
  samples: AnswerSample[];
}

export interface DialogueSettings {
  kind: SampleKind;
  attempts: number;
  decoding: DecodingSettings;
  maxNewTokens: number;
  /** With the split, the episode, the sample and the turn it names the random numbers of an answer, and nothing else does. */
  seed: number;
  sample: number;
}

interface Place {
  episode: TextEpisode;
  index: number;
}

/** @returns one run for each episode, in order */
export async function runDialogues(
  text: TextModel,
  task: TextTask,
  episodes: readonly TextEpisode[],
  settings: DialogueSettings,
  options: BatchOptions = {},
): Promise<DialogueRun[]> {
  const { attempts, maxNewTokens } = settings;
  const indices = placesOf(episodes);
  const runs = indices.map((place) => ({
    ...place,
    dialogue: task.open(place.episode, { attempts }),
    reward: 0,
    verdict: null as TextVerdict | null,
    samples: [] as AnswerSample[],
  }));
  for (let open = runs; open.length > 0; open = open.filter(({ dialogue }) => !dialogue.done)) {
    const asked = open.map(({ dialogue }) => [...dialogue.messages]);
    const prompts = asked.map((messages) => text.codec.promptIds(messages));
    const decoding = decodingOf(settings, (row) => ({ ...open[row]!, turn: open[row]!.samples.length }));
    const answers = await text.generate(prompts, maxNewTokens, decoding, options);
    open.forEach((run, row) => {
      const answer = text.codec.textOf(answers[row]!);
      const { verdict, reward } = run.dialogue.step(answer);
      run.reward += reward;
      run.verdict = verdict;
      run.samples.push({
        ...sampleOf(settings, run, verdict),
        turn: run.samples.length,
        messages: asked[row]!,
        given: '',
        answer,
        ended: text.codec.stopIds.includes(answers[row]!.at(-1)!),
        reward,
      });
    });
  }
  return runs.map(({ dialogue, reward, verdict, samples }) => ({
    ...{ success: dialogue.success, reward, samples },
    verdict: verdict!,
  }));
}

/** The index of each episode within its own split. */
export function placesOf(episodes: readonly TextEpisode[]): Place[] {
  const seen: Record<Split, number> = { inDist: 0, ood: 0 };
  return episodes.map((episode) => ({ episode, index: seen[episode.split]++ }));
}

/** What a sample says beside its answer. */
export function sampleOf(
  { kind, sample }: Pick<DialogueSettings, 'kind' | 'sample'>,
  { episode, index }: Place,
  { verdict, reason, correct, ruleSlip }: TextVerdict,
) {
  const { split, keys } = episode;
  return { kind, split, episode: index, keys, sample, verdict, reason, correct, ruleSlip };
}

function decodingOf(
  { decoding, seed, kind, sample }: DialogueSettings,
  placeOf: (row: number) => Place & { turn: number },
): TextDecoding {
  if (decoding.mode === 'greedy') return { mode: 'greedy' };
  const { temperature, topP } = decoding;
  const stream = (row: number): Philox => {
    const { episode, index, turn } = placeOf(row);
    return new Philox(seed, 'evaluation', kind, episode.split, index, sample, turn);
  };
  return { mode: 'sample', temperature, topP, stream };
}
