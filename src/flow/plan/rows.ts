/** Rows that were chosen or found, or are shown as lines of a text. */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import type { Json, JsonObject } from '../../ussd/index.ts'
import type { Filling } from '../text/index.ts'

/** The transition of a list or branch without rows. */
export const NO_ROWS = { what: 'no rows', only: 'rows are never missing' }

/** The context with what the flow keeps of the chosen row. The other rows stay: the way back may show them again. */
export function withRow(
  context: DialogueContext,
  name: string,
  row: Json,
  keep: readonly string[] | undefined,
): DialogueContext {
  return { ...context, chosen: { ...context.chosen, [name]: kept(row, keep) } }
}

function kept(row: Json, keep: readonly string[] | undefined): Json {
  if (keep === undefined || row === null || typeof row !== 'object' || Array.isArray(row)) return row
  const out: JsonObject = {}
  for (const field of keep) if (Object.hasOwn(row, field)) out[field] = row[field] as Json
  return out
}

/** The lines of the rows in a dialogue. */
export interface RowLines {
  (context: DialogueContext, filling?: Filling): string
  /** The paths of what they show or depend on. */
  reads: readonly string[]
}
