/** One point of a sweep: taken from the cache, or edited, evaluated and kept. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { AppError } from '../../contract/errors.ts';
import type { Evaluation } from '../../contract/evaluation.ts';
import type { AnswerSample } from '../../contract/samples.ts';
import type { Precision } from '../../contract/spectral.ts';
import type { ModelEditRecord, SweepPoint, SweepPointResult } from '../../contract/sweeps.ts';
import { writeSamples } from '../../ml/evaluation/sampleFile.ts';
import type { PointEditor } from '../../ml/reversion/editPoint.ts';
import { pathLength, pathRecord, type PathLength } from '../../ml/reversion/pathRecord.ts';
import { interpolateWeights } from '../../ml/reversion/revertModel.ts';
import type { WeightMap } from '../../ml/model/weights.ts';
import type { JobContext } from '../jobContext.ts';
import { samplesFolder } from './keptAnswers.ts';
import type { PointCache, StoredPoint } from './pointCache.ts';
import type { OpenPair, SweepCheckpoints } from './sweepCheckpoints.ts';
import type { SweepModels } from './sweepModels.ts';
import { progressReporter } from './trainingProgress.ts';

interface MakerParts<P extends Precision> {
  context: JobContext;
  checkpoints: SweepCheckpoints;
  pairs: readonly OpenPair[];
  editor: PointEditor<P>;
  /** Null where nothing is evaluated. */
  models: SweepModels | null;
  kept: PointCache;
}

interface MadePoint {
  record: ModelEditRecord;
  evaluation: Evaluation | null;
  /** Every answer, of a task in text. */
  samples: AnswerSample[];
  durationMs: number;
}

export class PointMaker<P extends Precision> {
  readonly #parts: MakerParts<P>;
  readonly #jobId: string;
  /** Points of one content are the same numbers: the axes of a sweep meet where all is edited. */
  readonly #underWay = new Map<string, Promise<StoredPoint | null>>();
  readonly #lengths = new Map<OpenPair, Promise<PathLength>>();
  /** Why points could not be made. */
  readonly skipped: string[] = [];

  constructor(parts: MakerParts<P>) {
    this.#parts = parts;
    this.#jobId = basename(parts.context.folder);
  }

  /** @returns null where no such edit exists (a rotation that reaches no norm, a dose of nothing) */
  async result(point: SweepPoint, content: string): Promise<SweepPointResult | null> {
    let underWay = this.#underWay.get(content);
    if (!underWay) this.#underWay.set(content, (underWay = this.#keptOrMade(point, content)));
    const made = await underWay;
    if (made === null) return null;
    const { jobId, hasAnswers, ...numbers } = made;
    const answers = hasAnswers ? { answers: { jobId, at: content } } : {};
    return { ...point, key: pointKey(point, content), ...numbers, ...answers, reused: jobId !== this.#jobId };
  }

  async #keptOrMade(point: SweepPoint, content: string): Promise<StoredPoint | null> {
    const { kept, context } = this.#parts;
    const known = await kept.get(content);
    if (known) return known;
    try {
      const { samples, ...numbers } = await this.#make(point);
      const hasAnswers = samples.length > 0;
      if (hasAnswers) await writeSamples(samplesFolder(context.folder), content, samples);
      const made = { ...numbers, jobId: this.#jobId, hasAnswers };
      await kept.put(content, made);
      return made;
    } catch (error) {
      // without this control the sweep is worth no less
      if (!(error instanceof AppError) || error.code !== 'COMPUTE_FAILED' || point.control === undefined) throw error;
      this.skipped.push(error.message);
      context.emit({ type: 'log', level: 'warn', text: `Left out: ${error.message}` });
      return null;
    }
  }

  async #make(point: SweepPoint): Promise<MadePoint> {
    const startMs = performance.now();
    const { models, pairs } = this.#parts;
    const pair = pairs[point.pair]!;
    const { record, weights } = await this.#edited(point, pair);
    const answered = models && weights ? await models.evaluate(pair.targetCheckpoint, weights) : null;
    const { evaluation, samples } = answered ?? { evaluation: null, samples: [] };
    return { record, evaluation, samples, durationMs: Math.round(performance.now() - startMs) };
  }

  /** Both checkpoints are read once for all positions between them. */
  #lengthOf(pair: OpenPair): Promise<PathLength> {
    let length = this.#lengths.get(pair);
    if (!length) {
      length = pathLength(pair.targetCheckpoint, pair.referenceCheckpoint, this.#parts.context.signal);
      this.#lengths.set(pair, length);
    }
    return length;
  }

  /** The record of the edit, and all weights of the edited model where it is to be evaluated. */
  async #edited(point: SweepPoint, pair: OpenPair): Promise<{ record: ModelEditRecord; weights: WeightMap | null }> {
    const { models, checkpoints, editor } = this.#parts;
    if (point.edit === 'interpolation' && models === null)
      return { record: pathRecord(await this.#lengthOf(pair), point.alpha!), weights: null };
    if (point.edit === 'interpolation') {
      const [target, reference] = await Promise.all(
        [pair.target, pair.reference].map(({ folder }) => checkpoints.weights(folder)),
      );
      return interpolateWeights(target!, reference!, point.alpha!);
    }
    const own = point.own === 'reference' ? pair.reference : pair.target;
    const weights: WeightMap | null = models ? new Map(await checkpoints.weights(own.folder)) : null;
    const record = await editor.edit(point, pair, pair.weights, ({ name, rows, columns }, { weight }) => {
      weights?.set(name, { shape: [rows, columns], data: Float32Array.from(weight.data) });
    });
    return { record, weights };
  }
}

/** Within a sweep: two points may be the same edit by another name, and both are there. */
function pointKey(point: SweepPoint, content: string): string {
  return createHash('sha256')
    .update(`${content} ${JSON.stringify(point)}`)
    .digest('hex')
    .slice(0, 32);
}

/** Points are said in the order of the plan, whichever is done first. */
export class OrderedPoints {
  readonly #context: JobContext;
  readonly #report: (done: number) => void;
  readonly #waiting = new Map<number, SweepPointResult | null>();
  #next = 0;

  constructor(context: JobContext, total: number) {
    this.#context = context;
    this.#report = progressReporter(context, total, (done) => `Point ${done} of ${total}`);
  }

  put(index: number, result: SweepPointResult | null): void {
    this.#waiting.set(index, result);
    for (; this.#waiting.has(this.#next); this.#next++) {
      const point = this.#waiting.get(this.#next);
      this.#waiting.delete(this.#next);
      if (point) this.#context.emit({ type: 'sweepPoint', point });
      this.#context.emit({ type: 'resumePoint', step: this.#next + 1 });
      this.#report(this.#next + 1);
    }
  }
}
