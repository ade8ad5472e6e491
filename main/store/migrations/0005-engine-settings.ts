import type { Migration } from 'kysely/migration';

/** How much of the machine may be used: one row. */
export const engineSettings: Migration = {
  async up(db) {
    await db.schema
      .createTable('engineSettings')
      .addColumn('id', 'integer', (c) => c.primaryKey())
      .addColumn('settingsJson', 'text', (c) => c.notNull())
      .execute();
  },
};
