/** Kept answers of one checkpoint or point, a page at a time: what was looked at is there, the rest is fetched when it is needed. */
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import type { AnswerSample, AnswersPlace, SampleFilter, SampleKind } from '../../main/contract/samples.ts';
import { call } from '../engine/engine.ts';

/** Which answers: of a model, a kind and a split, through a filter. */
export interface AnswerList extends AnswersPlace {
  kind: SampleKind;
  split: AnswerSample['split'];
  filter: SampleFilter;
}

interface OpenList {
  list: AnswerList;
  /** By index; a hole has not been fetched. Its length is the number of answers. */
  samples: (AnswerSample | undefined)[];
}

/** Answers of one call. */
const pageAnswers = 50;
/** More than one episode has, with all its dialogues and attempts. */
const episodeAnswers = 200;
const sameList = (a: AnswerList, b: AnswerList): boolean => JSON.stringify(a) === JSON.stringify(b);

export const useAnswers = defineStore('answers', () => {
  /** Null while the first page is on its way. */
  const opened = shallowRef<OpenList | null>(null);
  let wanted: AnswerList | null = null;
  const underWay = new Set<number>();

  async function fetchPage(list: AnswerList, page: number): Promise<void> {
    underWay.add(page);
    try {
      const query = { ...list, offset: page * pageAnswers, limit: pageAnswers };
      const { total, samples } = await call('samples.read', query);
      if (wanted === null || !sameList(wanted, list)) return;
      // A new array, so that whoever was given the old one sees that there is more.
      const next = opened.value?.samples.slice() ?? new Array<AnswerSample | undefined>(total);
      for (const [at, sample] of samples.entries()) next[page * pageAnswers + at] = sample;
      opened.value = { list, samples: next };
    } finally {
      if (wanted !== null && sameList(wanted, list)) underWay.delete(page);
    }
  }

  /** @param index the page of this answer comes first */
  async function open(list: AnswerList, index: number): Promise<void> {
    wanted = list;
    opened.value = null;
    underWay.clear();
    await fetchPage(list, Math.floor(index / pageAnswers));
  }

  /** Fetches what is missing of the answers from `first` to `last`. */
  async function need(first: number, last: number): Promise<void> {
    const now = opened.value;
    if (now === null) return;
    const pages = new Set<number>();
    for (let at = Math.max(0, first); at <= Math.min(last, now.samples.length - 1); at += 1)
      if (now.samples[at] === undefined) pages.add(Math.floor(at / pageAnswers));
    await Promise.all([...pages].filter((page) => !underWay.has(page)).map((page) => fetchPage(now.list, page)));
  }

  const stepsOf = async (jobId: string): Promise<number[]> => (await call('samples.steps', { jobId })).steps;
  /** All answers of one episode by a model, in their order. */
  async function ofEpisode(list: Omit<AnswerList, 'filter'>, episode: number): Promise<AnswerSample[]> {
    return (await call('samples.read', { ...list, episode, limit: episodeAnswers })).samples;
  }
  return { opened, open, need, stepsOf, ofEpisode };
});
