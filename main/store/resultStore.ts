/** What jobs have said: their events, and the tables made from them. */
import { sql } from 'kysely';
import type { Comparison, AblationPoint } from '../contract/studyResult.ts';
import type { Evaluation } from '../contract/evaluation.ts';
import type { WorkerEvent } from '../contract/events.ts';
import type { Database } from './database.ts';

export interface StoredEvaluation {
  jobId: string;
  step: number;
  evaluation: Evaluation;
  folder: string | null;
}
export interface StoredMetrics {
  jobId: string;
  step: number;
  values: Record<string, number>;
}

const pointKey = ({ stage, reference, target, edit, control, replicate, alpha }: AblationPoint): string =>
  [stage, reference, target, edit, control ?? '', replicate ?? '', alpha ?? ''].join('|');

export class ResultStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** @returns false when (job, seq) is already there */
  insertEvent(jobId: string, { seq, timeMs, type, ...payload }: WorkerEvent): boolean {
    const row = { jobId, seq, timeMs, type, payloadJson: JSON.stringify(payload) };
    return (
      this.#db.run(
        this.#db.sql
          .insertInto('events')
          .values(row)
          .onConflict((c) => c.doNothing()),
      ) === 1
    );
  }

  events(jobId: string, afterSeq: number, limit: number): WorkerEvent[] {
    const query = this.#db.sql.selectFrom('events').selectAll().where('jobId', '=', jobId).where('seq', '>', afterSeq);
    return this.#db
      .all(query.orderBy('seq').limit(limit))
      .map(({ seq, timeMs, type, payloadJson }) => ({ seq, timeMs, type, ...JSON.parse(payloadJson) }) as WorkerEvent);
  }

  putMetrics(jobId: string, seq: number, revision: number, step: number, values: Record<string, number>): void {
    const row = { jobId, step, seq, revision, valuesJson: JSON.stringify(values) };
    const query = this.#db.sql.insertInto('metrics').values(row);
    // What a step logs at its end joins what it has logged before.
    const valuesJson = sql<string>`json_patch(metrics.valuesJson, excluded.valuesJson)`;
    this.#db.run(query.onConflict((c) => c.columns(['jobId', 'step']).doUpdateSet({ seq, revision, valuesJson })));
  }

  putEvaluation(jobId: string, seq: number, step: number, evaluation: Evaluation, folder: string | null): void {
    const set = { seq, evaluationJson: JSON.stringify(evaluation), folder };
    const query = this.#db.sql.insertInto('evaluations').values({ jobId, step, ...set });
    this.#db.run(query.onConflict((c) => c.columns(['jobId', 'step']).doUpdateSet(set)));
  }

  putAblation(jobId: string, seq: number, point: AblationPoint): void {
    const set = { seq, pointJson: JSON.stringify(point) };
    const query = this.#db.sql.insertInto('ablations').values({ jobId, pointKey: pointKey(point), ...set });
    this.#db.run(query.onConflict((c) => c.columns(['jobId', 'pointKey']).doUpdateSet(set)));
  }

  putComparison(jobId: string, seq: number, comparison: Comparison): void {
    const { reference, target } = comparison;
    const set = { seq, comparisonJson: JSON.stringify(comparison) };
    const query = this.#db.sql.insertInto('comparisons').values({ jobId, reference, target, ...set });
    this.#db.run(query.onConflict((c) => c.columns(['jobId', 'reference', 'target']).doUpdateSet(set)));
  }

  /** Rows of former attempts past `step`: the new attempt writes them again. */
  discardAfter(jobId: string, step: number, beforeSeq: number): void {
    for (const table of ['metrics', 'evaluations'] as const)
      this.#db.run(
        this.#db.sql.deleteFrom(table).where('jobId', '=', jobId).where('step', '>', step).where('seq', '<', beforeSeq),
      );
  }

  /** What a job has warned of last; null when nothing. */
  lastAlert(jobId: string): string | null {
    const query = this.#db.sql.selectFrom('events').select('payloadJson').where('jobId', '=', jobId);
    // Written out, not a parameter: only so SQLite uses the index of alerts.
    const row = this.#db.first(query.where('type', '=', sql.lit('alert')).orderBy('seq', 'desc').limit(1));
    return row ? (JSON.parse(row.payloadJson) as { text: string }).text : null;
  }

  /** Metrics of a study's jobs that were written after a revision, by job and step. */
  metricsOfStudy(studyId: string, afterRevision: number): StoredMetrics[] {
    const query = this.#db.sql
      .selectFrom('metrics')
      .innerJoin('jobs', 'jobs.id', 'metrics.jobId')
      .select(['metrics.jobId', 'metrics.step', 'metrics.valuesJson'])
      .where('jobs.studyId', '=', studyId)
      .where('metrics.revision', '>', afterRevision)
      .orderBy('metrics.jobId')
      .orderBy('metrics.step');
    return this.#db.all(query).map(({ jobId, step, valuesJson }) => ({
      jobId,
      step,
      values: JSON.parse(valuesJson) as Record<string, number>,
    }));
  }

  /** Whether a job has said more than `count` steps. */
  hasMetrics(jobId: string, count: number): boolean {
    const query = this.#db.sql.selectFrom('metrics').select('step').where('jobId', '=', jobId).orderBy('step');
    return this.#db.first(query.offset(count).limit(1)) !== undefined;
  }

  metrics(jobId: string): StoredMetrics[] {
    const query = this.#db.sql.selectFrom('metrics').selectAll().where('jobId', '=', jobId).orderBy('step');
    return this.#db.all(query).map(({ step, valuesJson }) => ({
      jobId,
      step,
      values: JSON.parse(valuesJson) as Record<string, number>,
    }));
  }

  evaluations(jobId: string): StoredEvaluation[] {
    const query = this.#db.sql.selectFrom('evaluations').selectAll().where('jobId', '=', jobId).orderBy('step');
    return this.#db.all(query).map(({ step, evaluationJson, folder }) => ({
      jobId,
      step,
      evaluation: JSON.parse(evaluationJson) as Evaluation,
      folder,
    }));
  }

  /** In the order in which they were measured. */
  ablations(jobId: string): AblationPoint[] {
    const query = this.#db.sql.selectFrom('ablations').select('pointJson').where('jobId', '=', jobId).orderBy('seq');
    return this.#db.all(query).map(({ pointJson }) => JSON.parse(pointJson) as AblationPoint);
  }

  comparisons(jobId: string): Comparison[] {
    const query = this.#db.sql.selectFrom('comparisons').select('comparisonJson').where('jobId', '=', jobId);
    return this.#db.all(query.orderBy('seq')).map(({ comparisonJson }) => JSON.parse(comparisonJson) as Comparison);
  }
}
