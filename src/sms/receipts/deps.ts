/** What receipts depend on. */
import type { Log, Sql } from '../../base/index.ts'
import type { Chance, Clock } from '../../ussd/index.ts'
import type { GivingUp } from '../terms/index.ts'
import type { IdBases } from './message-id.ts'

export interface ReceiptDeps {
  sql: Sql
  clock: Clock
  chance: Chance
  log: Log
  /** Gets each SMS that nobody gets any more. Absent: nobody is told. */
  givenUp?: GivingUp
  /** False: the clock of this machine is wrong, so nothing is due and nothing has expired. Absent: it is right. */
  mayRun?: (() => boolean) | undefined
  /**
   * How a line writes message ids. Null: its ids identify nothing (they are all the same), so receipts are not matched
   * by them.
   */
  messageIds?: (line: string) => IdBases | null
  /**
   * The lines that lead to the same SMSC as this one, including itself. Default: itself. A receipt may come on any of
   * them.
   */
  linesOfSmsc?: (line: string) => readonly string[]
}
