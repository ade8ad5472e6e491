import type { Migration } from 'kysely/migration';

export const checkpointsAndState: Migration = {
  async up(db) {
    await db.schema
      .createTable('checkpoints')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('folder', 'text', (c) => c.notNull().unique())
      .addColumn('architecture', 'text', (c) => c.notNull())
      .addColumn('modelType', 'text', (c) => c.notNull())
      .addColumn('parameters', 'integer', (c) => c.notNull())
      .addColumn('bytes', 'integer', (c) => c.notNull())
      .addColumn('dtypesJson', 'text', (c) => c.notNull())
      .addColumn('files', 'integer', (c) => c.notNull())
      .addColumn('tensors', 'integer', (c) => c.notNull())
      .addColumn('headerHash', 'text', (c) => c.notNull())
      .addColumn('hasTokenizer', 'integer', (c) => c.notNull())
      .addColumn('studyId', 'text', (c) => c.references('studies.id').onDelete('cascade'))
      .addColumn('seed', 'integer')
      .addColumn('step', 'integer')
      .addColumn('importedAtMs', 'integer', (c) => c.notNull())
      .addColumn('deletedAtMs', 'integer')
      .execute();
    await db.schema
      .createTable('uiState')
      .addColumn('key', 'text', (c) => c.primaryKey())
      .addColumn('valueJson', 'text', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('notices')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('text', 'text', (c) => c.notNull())
      .addColumn('timeMs', 'integer', (c) => c.notNull())
      .execute();
  },
};
