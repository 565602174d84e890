/** Receipts that match no SMS: said in the log, shown as a gauge, and tried again when more is known of their ids. */
import { monotonicClock, statement } from '../../base/index.ts'
import type { IdForms } from './id-forms.ts'
import { DROP_ORPHANS, LOCK_KEY, ORPHAN_COLUMNS, type OrphanRow } from './rows.ts'
import { applyToPart, findPart } from './receipts.ts'
import type { ReceiptDeps } from './deps.ts'

/** Until then its response may be stored, or an SMS without a response may take it. */
const YOUNG_MS = 120_000
/** Those of this time are counted, and a line is told about once in this time. */
const LATELY_MS = 600_000
/** More are not counted: one look must not read a day of them. */
const COUNT_MAX = 10_000
/** How many one statement reads. */
const PAGE = 100
/** How many of a line are tried again when its form is known: the newest. */
const KEPT_MAX = 10_000

/**
 * How many matched nothing, by line, and an example of their ids. Not those of a subscriber to whom an SMS went without
 * a response within a day: they may be its receipts, and it was given up, or sent again, before they came.
 */
const LATELY = statement<{ line: string; receipts: number; example: string }>(
  'receipt-orphans',
  `
  SELECT line, CAST(count(*) AS int) AS receipts, max(message_id) AS example FROM (
    SELECT line, message_id FROM sms_receipt_orphan r
    WHERE received_at >= CAST(:since AS timestamptz) AND received_at < CAST(:until AS timestamptz)
      AND NOT EXISTS (SELECT FROM sms_outbox o
        WHERE o.msisdn = r.sender AND o.losses > 0 AND o.submitted_at > r.received_at - interval '1 day')
    ORDER BY received_at DESC LIMIT ${COUNT_MAX}) lately
  GROUP BY line`,
)

const KEPT = statement<OrphanRow>(
  'receipt-kept',
  `
  SELECT ${ORPHAN_COLUMNS} FROM sms_receipt_orphan WHERE line = CAST(:line AS text) AND id < CAST(:below AS bigint)
  ORDER BY id DESC LIMIT ${PAGE}`,
)

/** How long a receipt without an SMS is kept. */
export const ORPHAN_MS = 24 * 3_600_000

const REMEDY =
  'compare the id with message_id in the responses (ussd-connector trace LINE): does the SMSC write ids in another form ' +
  '(responses.messageIdBases of the dialect), does another program send SMS on this account, or does another daemon have its own database?'

export interface OrphanWatch {
  /** Rejects if Postgres is unreachable. */
  look(): Promise<void>
  /** As the last look found them. */
  lately(): readonly { line: string; receipts: number }[]
}

export function orphanWatch(deps: ReceiptDeps, forms: IdForms): OrphanWatch {
  const { sql, clock, log } = deps
  const now = monotonicClock(clock)
  const toldAt = new Map<string, number>()
  let found: { line: string; receipts: number }[] = []

  return {
    lately: () => found,
    async look() {
      if (deps.mayRun?.() === false) return
      await forms.read()
      for (const line of forms.takeChanged()) await tryAgain(deps, forms, line)
      const until = new Date(clock.now() - YOUNG_MS)
      const rows = await LATELY(sql, { until, since: new Date(until.getTime() - LATELY_MS) })
      found = rows.map(({ line, receipts }) => ({ line, receipts }))
      for (const { line, receipts, example } of rows) {
        if (now() < (toldAt.get(line) ?? -Infinity) + LATELY_MS) continue
        toldAt.set(line, now())
        log.warn({ line, receipts, messageId: example, remedy: REMEDY }, 'receipts match no SMS')
      }
    },
  }
}

/** Receipts that came while their form was not known. */
async function tryAgain(deps: ReceiptDeps, forms: IdForms, line: string): Promise<void> {
  let below = '9223372036854775807'
  for (let n = 0; n < KEPT_MAX; n += PAGE) {
    const kept = await KEPT(deps.sql, { line, below })
    for (const orphan of kept) await settleKept(deps, forms, orphan)
    if (kept.length < PAGE) return
    below = kept.at(-1)!.id
  }
}

async function settleKept({ sql, ...deps }: ReceiptDeps, forms: IdForms, orphan: OrphanRow): Promise<void> {
  const { line, message_id: messageId, sender: from, state, error, reference } = orphan
  const key = forms.keyOf(line, messageId)
  if (key === null || key === orphan.message_key) return
  const receipt = { line, messageId, from, state, error, reference }
  await sql.transaction(async (trx) => {
    await LOCK_KEY(trx, { name: `sms:${key}` })
    const part = await findPart({ sql, ...deps }, trx, receipt, key)
    if (!part) return
    await applyToPart({ sql, ...deps }, trx, part, receipt)
    await DROP_ORPHANS(trx, { ids: JSON.stringify([orphan.id]) })
  })
}
