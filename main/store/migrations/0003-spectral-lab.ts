import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

async function extendCheckpoints(db: Kysely<unknown>): Promise<void> {
  const columns = [
    ['contentHash', 'text'],
    ['nonFiniteTensors', 'integer'],
    ['filesJson', 'text'],
    ['trajectory', 'text'],
    ['referenceId', 'text'],
    ['parentId', 'text'],
  ] as const;
  for (const [name, type] of columns) await db.schema.alterTable('checkpoints').addColumn(name, type).execute();
  await db.schema
    .alterTable('checkpoints')
    .addColumn('copied', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema
    .createTable('checkpointTensors')
    .addColumn('checkpointId', 'text', (c) => c.notNull().references('checkpoints.id').onDelete('cascade'))
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .addColumn('norm', 'real')
    .addColumn('nan', 'integer', (c) => c.notNull())
    .addColumn('infinite', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('checkpointTensorsKey', ['checkpointId', 'name'])
    .execute();
  // Which other checkpoints hold the same tensors.
  await db.schema.createIndex('checkpointTensorsByHash').on('checkpointTensors').column('hash').execute();
}

async function createAnalyses(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('analyses')
    .addColumn('jobId', 'text', (c) => c.primaryKey().references('jobs.id').onDelete('cascade'))
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('orderHash', 'text', (c) => c.notNull())
    .addColumn('createdAtMs', 'integer', (c) => c.notNull())
    .addColumn('deletedAtMs', 'integer')
    .execute();
  await db.schema.createIndex('analysesByOrder').on('analyses').columns(['kind', 'orderHash']).execute();
  await db.schema
    .createTable('matrixRows')
    .addColumn('jobId', 'text', (c) => c.notNull().references('jobs.id').onDelete('cascade'))
    .addColumn('target', 'integer', (c) => c.notNull())
    .addColumn('weight', 'text', (c) => c.notNull())
    .addColumn('seq', 'integer', (c) => c.notNull())
    .addColumn('summaryJson', 'text', (c) => c.notNull())
    .addColumn('file', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('matrixRowsKey', ['jobId', 'target', 'weight'])
    .execute();
  await db.schema
    .createTable('sweepPoints')
    .addColumn('jobId', 'text', (c) => c.notNull().references('jobs.id').onDelete('cascade'))
    .addColumn('pointKey', 'text', (c) => c.notNull())
    .addColumn('seq', 'integer', (c) => c.notNull())
    .addColumn('pointJson', 'text', (c) => c.notNull())
    .addColumn('matricesJson', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('sweepPointsKey', ['jobId', 'pointKey'])
    .execute();
}

/** Content hashes, trajectories and lineage of checkpoints; comparisons and sweeps. */
export const spectralLab: Migration = {
  async up(db) {
    await extendCheckpoints(db);
    await createAnalyses(db);
  },
};
