/**
 * The audit of one daemon: entries go to Postgres a moment later, and the end of the chain to the log each hour. While
 * Postgres is unreachable they wait; what there is no room for is counted, and told in the log and in the audit.
 */
import type { Counters, Log, Sql } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'
import { createWaitingRows } from '../watch/index.ts'
import { auditRowOf, type AuditEntry, type AuditWaiting, type ChainHead } from './chain.ts'
import { appendAudit } from './rows.ts'

export interface AuditDeps {
  sql: Sql
  clock: Clock
  log: Log
  counters: Counters
  /** The key of the hashes in the log. */
  key: Buffer
  /** The name of this daemon, and its run: together they make the ids of rows unique. */
  name: string
  instance: string
}

export interface Audit {
  note(entry: AuditEntry): void
  /** Writes what is left, once. */
  stop(): Promise<void>
}

/** Entries that may wait: a night's work of many hands, or some minutes of a program that pushes. */
const ENTRIES_WAITING_MAX = 10_000
/** Who changes the database cannot change the log that was shipped: of a day, an hour at most is open. */
const HEAD_MS = 3_600_000

export function createAudit({ sql, clock, log, counters, key, name, instance }: AuditDeps): Audit {
  let lost = 0
  let head: ChainHead | undefined
  const told = { head: '', lost: 0 }
  const rows = createWaitingRows<ReturnType<typeof auditRowOf>>({
    clock,
    name,
    instance,
    max: ENTRIES_WAITING_MAX,
    limit: 'audit_waiting',
    counters: {
      count(...counted) {
        if (lost++ === 0) log.error({ waiting: ENTRIES_WAITING_MAX }, 'audit entries are lost: only the log has them')
        counters.count(...counted)
      },
    },
    onAway: (err, waiting) => log.warn({ err, waiting }, 'the audit waits for Postgres'),
    async write(some) {
      const entries = lost
      head = await appendAudit(sql, name, entries === 0 ? some : [...some, lostRow(entries)])
      if (entries === 0) return
      lost -= entries
      told.lost++
      log.error({ entries }, 'audit entries were lost while Postgres was away')
    },
  })

  /** Beside those that wait: there is no room among them. */
  function lostRow(entries: number): AuditWaiting {
    const row = auditRowOf({ who: '-', role: '-', what: 'audit entries lost', more: { entries } }, key)
    return { id: `${instance}-lost-${told.lost}`, at: new Date(clock.now()).toISOString(), instance: name, ...row }
  }

  function tellHead(): void {
    if (!head || told.head === head.hash) return
    log.info({ chain: name, seq: head.seq, hash: head.hash }, 'audit head')
    told.head = head.hash
  }
  let cancel = clock.after(HEAD_MS, hourly)
  function hourly(): void {
    tellHead()
    cancel = clock.after(HEAD_MS, hourly)
  }

  return {
    note: (entry) => rows.put(auditRowOf(entry, key)),
    async stop() {
      cancel()
      await rows.stop()
      tellHead()
    },
  }
}
