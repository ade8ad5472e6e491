/** What every text task promises, whichever it is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { stepAt } from '../../../../main/ml/tasks/answerText.ts';
import type { Split } from '../../../../main/ml/tasks/task.ts';
import { textTaskNames } from '../../../../main/contract/settings.ts';
import { type TextTask, otherSplit } from '../../../../main/ml/tasks/textTask.ts';
import { type TextTaskOptions, openTextTask } from '../../../../main/ml/tasks/textTasks.ts';

const splits: Split[] = ['inDist', 'ood'];
const variants = textTaskNames.flatMap((name) =>
  (['published', 'json'] as const).map((answerStyle) => ({ name, answerStyle })),
);
const label = ({ name, answerStyle }: TextTaskOptions): string => `${name} (${answerStyle})`;

describe.each(variants.map((settings) => [label(settings), openTextTask(settings), settings] as const))(
  '%s',
  (_, task, settings) => {
    /** A law in which the style of the answers plays no part. */
    const once = (law: string, holds: () => void): void => {
      if (settings.answerStyle === 'published') it(law, holds);
    };
    it('accepts its reference answers in every step, read as they are written', () => {
      for (const split of splits)
        for (const episode of task.heldOutEpisodes(split, 60, 7))
          task.examples(episode).forEach(({ answer }, position) => {
            const verdict = task.verify(episode, answer.text, position);
            expect(verdict, answer.text).toMatchObject({
              correct: true,
              reason: 'ok',
              fault: '',
              formatOk: true,
              cardOk: true,
              numberOk: true,
              formulaOk: true,
              ruleSlip: false,
              reading: settings.answerStyle === 'json' ? 'strict' : 'lenient',
            });
          });
    });

    it('divides a reference answer into adjacent steps; its forced part ends where the result begins', () => {
      for (const split of splits)
        for (const episode of task.heldOutEpisodes(split, 20, 3))
          for (const { answer } of task.examples(episode)) {
            let at = 0;
            for (const { step, start, end } of answer.spans) {
              expect(start).toBe(at);
              expect(end).toBeGreaterThan(start);
              expect(stepAt(answer, start)).toBe(step);
              expect(stepAt(answer, end - 1)).toBe(step);
              at = end;
            }
            expect(at).toBe(answer.text.length);
            expect(stepAt(answer, at)).toBe('format');
            expect(new Set(answer.spans.map(({ step }) => step))).toEqual(
              new Set(['format', 'card', 'number', 'formula']),
            );
            expect(stepAt(answer, answer.forcedChars)).toBe('formula');
            expect(answer.spans.filter(({ step }) => step === 'formula')).toEqual([
              expect.objectContaining({ start: answer.forcedChars }),
            ]);
          }
    });

    it('accepts every right ending after the forced part, the reference among them, and none begins another', () => {
      for (const split of splits)
        for (const episode of task.heldOutEpisodes(split, 20, 5))
          task.examples(episode).forEach(({ answer }, position) => {
            const endings = task.rightEndings(episode, position);
            expect(endings.filter((ending) => answer.text.startsWith(ending, answer.forcedChars))).toHaveLength(1);
            expect(new Set(endings).size).toBe(endings.length);
            for (const ending of endings) {
              const text = answer.text.slice(0, answer.forcedChars) + ending;
              expect(task.verify(episode, text, position), text).toMatchObject({ correct: true, formulaOk: true });
              expect(endings.filter((other) => other.startsWith(ending))).toHaveLength(1);
            }
          });
    });

    it('reaches success by its reference answers, and shows in the dialogue what the examples show', () => {
      for (const split of splits)
        for (const episode of task.heldOutEpisodes(split, 20, 11)) {
          const examples = task.examples(episode);
          const dialogue = task.open(episode, { attempts: 1 });
          for (const [position, { prompt, answer }] of examples.entries()) {
            expect(dialogue).toMatchObject({ position, done: false, success: false });
            expect(dialogue.messages).toEqual(prompt);
            const { reward, limitReached } = dialogue.step(answer.text);
            expect(reward).toBe(task.verify(episode, answer.text, position).reward);
            expect(limitReached).toBe(false);
          }
          expect(dialogue).toMatchObject({ done: true, success: true });
          expect(() => dialogue.step('again')).toThrow('is done');
        }
    });

    once('says why an answer failed, and lets it be tried again as often as it is told', () => {
      const [episode] = task.heldOutEpisodes('inDist', 1, 2) as [ReturnType<TextTask['trainingEpisode']>];
      const { prompt, answer } = task.examples(episode)[0]!;
      for (let attempts = 1; attempts <= 5; attempts++) {
        const dialogue = task.open(episode, { attempts });
        for (let used = 1; used < attempts; used++) {
          const turn = dialogue.step('no answer');
          expect(turn).toMatchObject({ done: false, success: false, limitReached: false });
          expect(turn.reward).toBe(turn.verdict.reward);
          expect(dialogue.messages).toHaveLength(prompt.length + 2 * used);
          expect(dialogue.messages.at(-1)).toEqual({
            role: 'user',
            content: `You failed this trial because ${turn.verdict.fault}`,
          });
        }
        const saved = task.open(episode, { attempts });
        for (let used = 1; used < attempts; used++) saved.step('no answer');
        expect(saved.messages).toEqual(dialogue.messages);
        expect(dialogue.step('no answer')).toMatchObject({ done: true, success: false, limitReached: true });
        expect(saved.step(answer.text).verdict.correct).toBe(true);
      }
      expect(() => task.open(episode, { attempts: 0 })).toThrow('at least one attempt');
    });

    once('makes equal sets from equal seeds, other ones from another, and long ones begin with short ones', () => {
      for (const split of splits) {
        const set = task.heldOutEpisodes(split, 40, 9);
        expect(task.heldOutEpisodes(split, 40, 9)).toEqual(set);
        expect(task.heldOutEpisodes(split, 15, 9)).toEqual(set.slice(0, 15));
        expect(task.heldOutEpisodes(split, 40, 10)).not.toEqual(set);
        expect(new Set(set.map(({ keys }) => keys.ordered)).size).toBe(40);
        const [first, again, next] = [1, 1, 2].map((i) => task.trainingEpisode(split, new Philox('training', i)));
        expect(again).toEqual(first);
        expect(next).not.toEqual(first);
      }
    });

    once('never trains on a held-out problem, under either rule', () => {
      const heldOut = splits.flatMap((split) => task.heldOutEpisodes(split, 200, 4));
      const multisets = new Set(heldOut.map(({ keys }) => keys.multiset));
      for (let i = 0; i < 800; i++) {
        const { keys } = task.trainingEpisode(splits[i % 2]!, new Philox('disjoint', i));
        expect(multisets.has(keys.multiset), keys.ordered).toBe(false);
      }
    });

    once('reads the problem back from every prompt, and none from a foreign one', () => {
      for (const split of splits)
        for (const episode of task.heldOutEpisodes(split, 20, 6))
          for (const { prompt } of task.examples(episode)) {
            expect(task.keysOfPrompt(prompt)).toEqual(episode.keys);
            for (const name of textTaskNames)
              if (name !== task.name) expect(openTextTask({ name }).keysOfPrompt(prompt)).toBeNull();
          }
      expect(task.keysOfPrompt([{ role: 'user', content: 'Hello' }])).toBeNull();
    });

    once('puts matched sets under both rules, or says that there is none', () => {
      if (!task.hasRule) {
        expect(() => task.matchedEpisodes(4, 1)).toThrow('not in a rule');
        return;
      }
      const matched = task.matchedEpisodes(60, 8);
      expect(task.matchedEpisodes(60, 8)).toEqual(matched);
      expect(matched.inDist.map(({ keys }) => keys)).toEqual(matched.ood.map(({ keys }) => keys));
      for (const split of splits)
        for (const episode of matched[split]) {
          expect(episode.split).toBe(split);
          expect(task.verify(episode, task.examples(episode)[0]!.answer.text, 0).correct).toBe(true);
        }
      const training = new Set(
        Array.from({ length: 400 }, (_, i) => task.trainingEpisode('inDist', new Philox('matched', i)).keys.multiset),
      );
      for (const { keys } of matched.ood) expect(training.has(keys.multiset)).toBe(false);
    });

    once('calls an answer that follows the other rule a rule slip', () => {
      if (!task.hasRule) return;
      const matched = task.matchedEpisodes(40, 12);
      let slips = 0;
      for (const split of splits)
        matched[split].forEach((episode, i) => {
          const other = matched[otherSplit(split)][i]!;
          task.examples(other).forEach(({ answer }, position) => {
            const verdict = task.verify(episode, answer.text, position);
            expect(verdict.ruleSlip, answer.text).toBe(!verdict.correct);
            if (verdict.ruleSlip) slips++;
          });
        });
      expect(slips).toBeGreaterThan(50);
    });

    once('says how many held-out problems there are when more are asked for', () => {
      const none = openTextTask({ ...settings, testShare: 0 });
      expect(() => none.heldOutEpisodes('ood', 3, 1)).toThrow(/3 held-out problems were asked for/);
      const all = openTextTask({ ...settings, testShare: 1 });
      if (task.name !== 'rank') expect(() => all.trainingEpisode('inDist', new Philox(1))).toThrow('no problem left');
    });

    once('judges any text without throwing, and never calls it right by accident of damage', () => {
      const episodes = splits.flatMap((split) => task.heldOutEpisodes(split, 3, 20));
      const references = episodes.map((episode) => task.examples(episode)[0]!.answer.text);
      const hostile = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.json(),
        fc
          .tuple(fc.constantFrom(...references), fc.nat(200), fc.nat(40), fc.string({ maxLength: 12 }))
          .map(([text, at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut)),
        fc
          .array(
            fc.constantFrom(
              '"formula": "',
              '"action": "',
              '"rank": ',
              '"determinant": ',
              '"cards": [',
              '[',
              '(',
              '9',
              '"',
              '\n',
              '{',
              '=24',
            ),
            { maxLength: 60 },
          )
          .map((parts) => parts.join('')),
      );
      fc.assert(
        fc.property(hostile, fc.constantFrom(...episodes), (text, episode) => {
          const verdict = task.verify(episode, text, 0);
          expect(verdict.correct).toBe(verdict.reason === 'ok');
          expect(verdict.correct && verdict.ruleSlip).toBe(false);
          expect(verdict.correct).toBe(verdict.fault === '');
          expect(verdict.reading === 'none').toBe(!verdict.formatOk);
          expect(Number.isFinite(verdict.reward)).toBe(true);
        }),
        { numRuns: 400 },
      );
    });

    once('judges very long, deep and repetitive texts in bounded time', () => {
      const [episode] = task.heldOutEpisodes('ood', 1, 2) as [ReturnType<TextTask['trainingEpisode']>];
      const result = { generalPoints: 'formula', navigation: 'action', determinant: 'determinant', rank: 'rank' }[task.name]; // prettier-ignore
      const repeats = [
        '"formula": "',
        '"action": "',
        '"rank": ',
        '"determinant": ',
        '"cards": [',
        '"number": [[',
        '"matrix": [1, ',
        '"terms": [[[',
        '"pivots"  : [',
        '"current observation": ',
        '"formula"      :',
        '{"a":',
        '[',
        '(',
        '9',
        ' ',
        '-',
        '"',
        '\\',
        '\u{1F0A1}',
      ];
      for (const part of repeats) {
        const text = part.repeat(Math.ceil(1_100_000 / part.length));
        for (const answer of [text, `{"${result}": "${text}`]) {
          const started = performance.now();
          task.verify(episode, answer, 0);
          expect(performance.now() - started, `${part.slice(0, 20)} repeated`).toBeLessThan(1500);
        }
      }
    });
  },
);
