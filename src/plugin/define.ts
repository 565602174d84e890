/** Helpers for plug-ins in TypeScript. They only declare the type of a value. */
import type { SqlBindings, StatementKind } from '../base/index.ts'
import type { z } from 'zod'
import type { BackendFactory } from './module.ts'
import type { PluginType, ScreenPlugin, ScreenTerms } from './screens.ts'
import type { SqlPort } from './sql.ts'

/** `export const backend = defineBackend(({ sql, refuse }) => …)` */
export function defineBackend<Factory extends BackendFactory>(factory: Factory): Factory {
  return factory
}

/**
 * A type of screen. `schema` gets the terms that screens are made of. Write it before `expand`: TypeScript then knows
 * each key of `screen`.
 */
export function defineScreenType<Schema extends z.ZodObject>(
  type: Omit<PluginType, 'schema' | 'expand'> & {
    schema: (terms: ScreenTerms) => Schema
    expand: (name: string, screen: z.infer<Schema>, languages: readonly string[]) => Record<string, object>
  },
): ScreenPlugin {
  return (terms) => ({ ...type, schema: type.schema(terms) })
}

/** A statement that runs often, with a name of its own: the server plans it once per connection. */
export function preparedSql<Row = Record<string, unknown>>(
  name: string,
  text: string,
  kind: StatementKind = {},
): (sql: SqlPort, bindings: SqlBindings) => Promise<Row[]> {
  const options = { ...kind, name }
  return (sql, bindings) => sql<Row>(text, bindings, options)
}
