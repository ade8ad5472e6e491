/**
 * Where the data folder is. Rows hold whole paths (a checkpoint may lie anywhere); when the folder has come to another
 * place, paths below the old one are made to lead to the new one, in every text column.
 */
import { sql, type RawBuilder } from 'kysely';
import { sep } from 'node:path';
import type { Database } from './database.ts';

/** Kept beside the state of the page, which cannot reach it. */
export const dataPlaceKey = 'engine.dataFolder';

interface Column {
  tableName: string;
  columnName: string;
}

/** @returns whether paths had to be changed */
export function settleDataPlace(db: Database, folder: string): boolean {
  const compiled = <Row>(query: RawBuilder<Row>) => ({ compile: () => query.compile(db.sql) });
  const before = placeBefore(db);
  if (before === folder) return false;
  db.transaction(() => {
    if (before !== null) {
      const columns = sql<Column>`
        select t.name as tableName, c.name as columnName from sqlite_schema t, pragma_table_info(t.name) c
        where t.type = 'table' and t.name not like 'kysely%' and t.name not like 'sqlite%' and lower(c.type) = 'text'`;
      for (const { tableName, columnName } of db.all(compiled(columns)))
        db.run(compiled(movedPaths(tableName, columnName, before, folder)));
    }
    const valueJson = JSON.stringify(folder);
    const row = db.sql.insertInto('uiState').values({ key: dataPlaceKey, valueJson });
    db.run(row.onConflict((conflict) => conflict.column('key').doUpdateSet({ valueJson })));
  });
  return before !== null;
}

function placeBefore(db: Database): string | null {
  const row = db.first(db.sql.selectFrom('uiState').select('valueJson').where('key', '=', dataPlaceKey));
  return row === undefined ? null : (JSON.parse(row.valueJson) as string);
}

/**
 * A column is one path, or JSON with paths in it: strings that begin with the old folder. A checkpoint that is in the
 * catalogue under both places keeps both rows.
 */
function movedPaths(table: string, column: string, before: string, after: string): RawBuilder<unknown> {
  const [name, value] = [sql.table(table), sql.ref(column)];
  const inJson = (path: string): string => JSON.stringify(path).slice(0, -1);
  const [from, to] = [inJson(before + sep), inJson(after + sep)];
  const [whole, wholeNow] = [JSON.stringify(before), JSON.stringify(after)];
  // SQLite counts characters, JavaScript UTF-16 units.
  return sql`
    update or ignore ${name} set ${value} = case
      when ${value} = ${before} or substr(${value}, 1, length(${before + sep})) = ${before + sep}
        then ${after} || substr(${value}, length(${before}) + 1)
      else replace(replace(${value}, ${from}, ${to}), ${whole}, ${wholeNow}) end
    where instr(${value}, ${before}) > 0 or instr(${value}, ${from}) > 0 or instr(${value}, ${whole}) > 0`;
}
