import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What users say of training runs, and their curves by quantity instead of by step. */
export const runs: Migration = {
  async up(db) {
    await db.schema
      .createTable('runs')
      .addColumn('jobId', 'text', (c) => c.primaryKey().references('jobs.id').onDelete('cascade'))
      .addColumn('note', 'text', (c) => c.notNull().defaultTo(''))
      .addColumn('tagsJson', 'text', (c) => c.notNull().defaultTo('[]'))
      .addColumn('deletedAtMs', 'integer')
      .addColumn('seriesSeq', 'integer')
      .addColumn('points', 'integer', (c) => c.notNull().defaultTo(0))
      .addColumn('lastStep', 'integer')
      .addColumn('lastJson', 'text', (c) => c.notNull().defaultTo('{}'))
      .addColumn('peakOodJson', 'text')
      .execute();
    await db.schema
      .createTable('runSeries')
      .addColumn('jobId', 'text', (c) => c.notNull().references('jobs.id').onDelete('cascade'))
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('steps', 'blob', (c) => c.notNull())
      .addColumn('values', 'blob', (c) => c.notNull())
      .addPrimaryKeyConstraint('runSeriesKey', ['jobId', 'name'])
      .execute();
    // Without it, every job of a kind is looked for among all stages of all studies.
    await db.schema.createIndex('stagesByJob').on('stages').column('jobId').execute();
    // Without it, a run of 10,000 events is read through to find out that it has no alert.
    await sql`create index alertsByJob on events (jobId, seq) where type = 'alert'`.execute(db);
  },
};
