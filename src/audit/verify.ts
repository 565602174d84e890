/** Whether the chains of the audit are whole. */
import type { Sql } from '../base/index.ts'
import { faultBetween, type ChainHead, type ChainVerdict } from './chain.ts'
import { auditAfter, auditChains, type ChainBegin } from './rows.ts'

const ROWS_EACH = 1_000

/** An end of a chain that the log once told: `instance seq hash`. */
export interface ToldHead extends ChainHead {
  instance: string
}

/** Every chain, row by row. `told`: heads out of logs, which the chains must still have. */
export async function verifyAudit(sql: Sql, told: readonly ToldHead[] = []): Promise<ChainVerdict[]> {
  const verdicts: ChainVerdict[] = []
  const chains = await auditChains(sql)
  for (const begin of chains)
    verdicts.push(
      await verdictOn(
        sql,
        begin,
        told.filter(({ instance }) => instance === begin.instance),
      ),
    )
  const strange = told.filter(({ instance }) => !chains.some((one) => one.instance === instance))
  for (const { instance, seq } of strange)
    verdicts.push({ instance, rows: 0, from: 0, to: 0, head: '', begunAt: null, fault: `row ${seq} is gone` })
  return verdicts
}

async function verdictOn(sql: Sql, begin: ChainBegin, told: readonly ChainHead[]): Promise<ChainVerdict> {
  const { instance, at } = begin
  let head: ChainHead = begin
  let rows = 0
  let fault: string | undefined
  const open = new Map(told.filter(({ seq }) => seq > begin.seq).map((one) => [one.seq, one.hash]))
  for (;;) {
    const some = await auditAfter(sql, instance, head.seq, ROWS_EACH)
    for (const row of some) {
      fault ??= faultBetween(head, row)
      const said = open.get(row.seq)
      if (said !== undefined && said !== row.hash) fault ??= `row ${row.seq} is not the one whose hash the log told`
      open.delete(row.seq)
      head = { seq: row.seq, hash: row.hash }
      rows++
    }
    if (some.length < ROWS_EACH) break
  }
  const [missing] = open.keys()
  if (missing !== undefined) fault ??= `row ${missing} is gone: the log told its hash`
  return {
    instance,
    rows,
    from: begin.seq + 1,
    to: head.seq,
    head: head.hash,
    begunAt: at?.toISOString() ?? null,
    ...(fault === undefined ? {} : { fault }),
  }
}
