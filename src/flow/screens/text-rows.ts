/** Rows of an answer within a text: one line each, where the text says `{rows}`. */
import { z } from 'zod'
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { path, text, type Text } from '../terms/index.ts'
import type { Filling } from '../text/index.ts'
import type { RowsUsed } from './kind.ts'
import {
  isPicked,
  pickerOf,
  pickingKeys,
  pickReads,
  type PickRows,
  type RowLines,
  sortedBy,
  type Env,
  type TellUses,
  type TextRole,
} from '../plan/index.ts'

/** The most rows of one text: nobody reads further, and each is a line of a page or of an SMS. */
const TEXT_ROWS_MAX = 50

export const textRows = z
  .strictObject({
    from: path.describe('Where the rows are, such as `data.statement.rows`.'),
    row: text.describe('The line of one row. Its fields are `row.…`.'),
    max: z.int().min(1).max(TEXT_ROWS_MAX).describe(`The most rows that are shown; at most ${TEXT_ROWS_MAX}.`),
    ...pickingKeys,
    none: text.optional().describe('What stands there if there are no rows. Default: nothing.'),
  })
  .meta({ title: '`{ from, row, max, where, sort, none }`' })

export const rows = textRows
  .optional()
  .describe('Rows of an answer, one line each, where the text says `{rows}`; with `max`, and with `where` and `sort`.')

export type TextRows = z.infer<typeof textRows>

export function usesOfRows(written: TextRows | undefined, role: TextRole, tell: TellUses): void {
  if (!written) return
  tell.condition(written.where, ['rows', 'where'], true)
  tell.text('row', written.row, 'rows', 'row')
  tell.text(role, written.none, 'rows', 'none')
}

/** Of each row, only the fields that the line, the condition and the order read are kept. */
export function rowsOfText(written: TextRows | undefined, shows: Text): RowsUsed | undefined {
  if (!written) return undefined
  const { from, where, sort, row, none, max } = written
  const many = isPicked(written)
  return {
    from,
    key: 'rows',
    keep: [],
    where,
    sort: sort && sortedBy(sort),
    many,
    max,
    text: { shows, row, none },
  }
}

export function pickTextRows(written: TextRows | undefined, zone: string): PickRows | undefined {
  return written && pickerOf(written, isPicked(written), zone)
}

/** More than any text shows: further rows are not filled in. */
const LINES_UNITS_MAX = 16_384

/** The lines of the rows. Undefined: the screen has none. */
export function linesOf(written: TextRows | undefined, env: Pick<Env, 'text' | 'zone'>): RowLines | undefined {
  const pick = pickTextRows(written, env.zone)
  if (!written || !pick) return undefined
  const line = env.text(written.row)
  const none = written.none === undefined ? undefined : env.text(written.none)
  const say = (context: DialogueContext, filling: Filling = {}) => {
    const { valueMax } = filling
    const found = pick(context)
    if (found.length === 0) return none?.({ context }, filling) ?? ''
    const lines: string[] = []
    let units = 0
    for (const row of found) {
      const said = line({ context, row }, { valueMax })
      lines.push(said)
      units += said.length
      if (units > LINES_UNITS_MAX) break
    }
    return lines.join('\n')
  }
  return Object.assign(say, { reads: [...pickReads(written), ...line.reads, ...(none?.reads ?? [])] })
}
