/** Comparisons and sweeps: which order each job carries out, and the rows that it has left so far. */
import type { Selectable } from 'kysely';
import type { MatrixSummary } from '../contract/spectral.ts';
import type { SweepPointResult } from '../contract/sweeps.ts';
import type { Database } from './database.ts';
import type { AnalysesTable, SweepPointsTable } from './schema.ts';

export type AnalysisKind = 'compare' | 'sweep' | 'diffCheckpoints' | 'hiddenStates';
export type Analysis = Selectable<AnalysesTable>;

export interface StoredMatrixRow {
  target: number;
  weight: string;
  summary: MatrixSummary;
  /** Name of the file with its curves, in the job's folder. */
  file: string;
}

function toPoint({ pointJson, matricesJson }: Pick<SweepPointsTable, 'pointJson' | 'matricesJson'>): SweepPointResult {
  const point = JSON.parse(pointJson) as SweepPointResult;
  const matrices = JSON.parse(matricesJson) as SweepPointResult['record']['matrices'];
  return { ...point, record: { ...point.record, matrices } };
}

export class AnalysisStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  insert(analysis: Pick<Analysis, 'jobId' | 'kind' | 'orderHash' | 'createdAtMs'>): void {
    this.#db.run(this.#db.sql.insertInto('analyses').values({ ...analysis, deletedAtMs: null }));
  }

  get(jobId: string): Analysis | undefined {
    return this.#db.first(this.#db.sql.selectFrom('analyses').selectAll().where('jobId', '=', jobId));
  }

  /** The newest with this order, without the trash. */
  findByOrder(kind: AnalysisKind, orderHash: string): Analysis | undefined {
    const query = this.#db.sql.selectFrom('analyses').selectAll().where('kind', '=', kind);
    return this.#db.first(
      query.where('orderHash', '=', orderHash).where('deletedAtMs', 'is', null).orderBy('createdAtMs', 'desc'),
    );
  }

  /** Newest first, without the trash. */
  list(kind: AnalysisKind): Analysis[] {
    const query = this.#db.sql.selectFrom('analyses').selectAll().where('kind', '=', kind);
    return this.#db.all(query.where('deletedAtMs', 'is', null).orderBy('createdAtMs', 'desc').orderBy('jobId'));
  }

  setDeleted(jobId: string, deletedAtMs: number | null): boolean {
    return this.#db.run(this.#db.sql.updateTable('analyses').set({ deletedAtMs }).where('jobId', '=', jobId)) === 1;
  }

  putMatrix(jobId: string, seq: number, { target, summary, file }: Omit<StoredMatrixRow, 'weight'>): void {
    const set = { seq, summaryJson: JSON.stringify(summary), file };
    const query = this.#db.sql.insertInto('matrixRows').values({ jobId, target, weight: summary.weight, ...set });
    this.#db.run(query.onConflict((c) => c.columns(['jobId', 'target', 'weight']).doUpdateSet(set)));
  }

  matrices(jobId: string): StoredMatrixRow[] {
    const query = this.#db.sql.selectFrom('matrixRows').selectAll().where('jobId', '=', jobId);
    return this.#db.all(query.orderBy('target').orderBy('seq')).map(({ target, weight, summaryJson, file }) => ({
      target,
      weight,
      summary: JSON.parse(summaryJson) as MatrixSummary,
      file,
    }));
  }

  matrix(jobId: string, target: number, weight: string): StoredMatrixRow | undefined {
    const query = this.#db.sql.selectFrom('matrixRows').selectAll().where('jobId', '=', jobId);
    const row = this.#db.first(query.where('target', '=', target).where('weight', '=', weight));
    return row && { target, weight, summary: JSON.parse(row.summaryJson) as MatrixSummary, file: row.file };
  }

  putPoint(jobId: string, seq: number, result: SweepPointResult): void {
    const { matrices, ...record } = result.record;
    const set = {
      seq,
      pointJson: JSON.stringify({ ...result, record: { ...record, matrices: [] } }),
      matricesJson: JSON.stringify(matrices),
    };
    const query = this.#db.sql.insertInto('sweepPoints').values({ jobId, pointKey: result.key, ...set });
    this.#db.run(query.onConflict((c) => c.columns(['jobId', 'pointKey']).doUpdateSet(set)));
  }

  /** In the order in which they were done; `record.matrices` is empty, see `point`. */
  points(jobId: string): SweepPointResult[] {
    const query = this.#db.sql.selectFrom('sweepPoints').select(['pointJson']).where('jobId', '=', jobId);
    return this.#db.all(query.orderBy('seq')).map(({ pointJson }) => JSON.parse(pointJson) as SweepPointResult);
  }

  point(jobId: string, key: string): SweepPointResult | undefined {
    const query = this.#db.sql.selectFrom('sweepPoints').selectAll().where('jobId', '=', jobId);
    const row = this.#db.first(query.where('pointKey', '=', key));
    return row && toPoint(row);
  }

  /** Rows of a comparison, or points of a sweep, that are there. */
  done(jobId: string, kind: AnalysisKind): number {
    const table = kind === 'compare' ? 'matrixRows' : 'sweepPoints';
    const query = this.#db.sql.selectFrom(table).select((e) => e.fn.countAll<number>().as('n'));
    return this.#db.first(query.where('jobId', '=', jobId))!.n;
  }
}
