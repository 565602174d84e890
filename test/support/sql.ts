/** The database with something around each of its statements, in transactions too. */
import type { PreparedStatement, Sql, SqlBindings, SqlRunner } from '../../src/base/sql.ts'

export function aroundSql(
  sql: Sql,
  around: (statement: PreparedStatement, ask: () => Promise<object[]>, bindings: SqlBindings) => Promise<object[]>,
): Sql {
  const within = (on: SqlRunner): SqlRunner => ({
    run: (statement, bindings) => around(statement, () => on.run(statement, bindings), bindings),
  })
  return { ...within(sql), transaction: (run) => sql.transaction((trx) => run(within(trx))) }
}
