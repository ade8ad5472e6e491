import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

async function createStudies(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('studies')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('settingsJson', 'text', (c) => c.notNull())
    .addColumn('settingsHash', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('sample', 'integer', (c) => c.notNull())
    .addColumn('revision', 'integer', (c) => c.notNull())
    .addColumn('createdAtMs', 'integer', (c) => c.notNull())
    .addColumn('startedAtMs', 'integer')
    .addColumn('endedAtMs', 'integer')
    .addColumn('deletedAtMs', 'integer')
    .execute();
  await db.schema.createIndex('studiesBySettings').on('studies').column('settingsHash').execute();
  await db.schema
    .createTable('stages')
    .addColumn('studyId', 'text', (c) => c.notNull().references('studies.id').onDelete('cascade'))
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('seed', 'integer', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('dependsOnJson', 'text', (c) => c.notNull())
    .addColumn('weight', 'real', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('jobId', 'text', (c) => c.references('jobs.id'))
    .addColumn('outputJson', 'text')
    .addColumn('note', 'text')
    .addPrimaryKeyConstraint('stagesKey', ['studyId', 'id'])
    .execute();
}

async function createJobs(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('jobs')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('studyId', 'text', (c) => c.references('studies.id').onDelete('cascade'))
    .addColumn('stageId', 'text')
    .addColumn('seed', 'integer')
    .addColumn('requestJson', 'text', (c) => c.notNull())
    .addColumn('progressJson', 'text')
    .addColumn('provenanceJson', 'text')
    .addColumn('errorJson', 'text')
    .addColumn('outputJson', 'text')
    .addColumn('attempt', 'integer', (c) => c.notNull())
    .addColumn('automaticAttempts', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('lastSeq', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('ingestedBytes', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('attemptSeq', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('createdAtMs', 'integer', (c) => c.notNull())
    .addColumn('startedAtMs', 'integer')
    .addColumn('endedAtMs', 'integer')
    .execute();
  await db.schema.createIndex('jobsByState').on('jobs').column('state').execute();
  await db.schema.createIndex('jobsByStudy').on('jobs').column('studyId').execute();
}

async function createResults(db: Kysely<unknown>): Promise<void> {
  const table = (name: string) =>
    db.schema
      .createTable(name)
      .addColumn('jobId', 'text', (c) => c.notNull().references('jobs.id').onDelete('cascade'))
      .addColumn('seq', 'integer', (c) => c.notNull());
  await table('events')
    .addColumn('timeMs', 'integer', (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('payloadJson', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('eventsKey', ['jobId', 'seq'])
    .execute();
  await table('metrics')
    .addColumn('step', 'integer', (c) => c.notNull())
    .addColumn('revision', 'integer', (c) => c.notNull())
    .addColumn('valuesJson', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('metricsKey', ['jobId', 'step'])
    .execute();
  await table('evaluations')
    .addColumn('step', 'integer', (c) => c.notNull())
    .addColumn('evaluationJson', 'text', (c) => c.notNull())
    .addColumn('folder', 'text')
    .addPrimaryKeyConstraint('evaluationsKey', ['jobId', 'step'])
    .execute();
  await table('ablations')
    .addColumn('pointKey', 'text', (c) => c.notNull())
    .addColumn('pointJson', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('ablationsKey', ['jobId', 'pointKey'])
    .execute();
  await table('comparisons')
    .addColumn('reference', 'text', (c) => c.notNull())
    .addColumn('target', 'text', (c) => c.notNull())
    .addColumn('comparisonJson', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('comparisonsKey', ['jobId', 'reference', 'target'])
    .execute();
}

export const studiesAndJobs: Migration = {
  async up(db) {
    await createStudies(db);
    await createJobs(db);
    await createResults(db);
  },
};
