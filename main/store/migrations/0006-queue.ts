import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The order and the pause of the queue; of a job its last resume point and what was asked of it while it ran. */
export const queue: Migration = {
  async up(db) {
    await db.schema
      .createTable('queue')
      .addColumn('paused', 'integer', (c) => c.notNull())
      .execute();
    await sql`insert into queue (paused) values (0)`.execute(db);
    await db.schema
      .alterTable('jobs')
      .addColumn('position', 'real', (c) => c.notNull().defaultTo(0))
      .execute();
    await db.schema.alterTable('jobs').addColumn('stopping', 'text').execute();
    await db.schema.alterTable('jobs').addColumn('resumePointJson', 'text').execute();
    await sql`update jobs set position = old.place
      from (select id, row_number() over (order by createdAtMs, id) as place from jobs) as old
      where old.id = jobs.id`.execute(db);
    await db.schema.createIndex('jobsByPosition').on('jobs').column('position').execute();
  },
};
