/** An outbox for tests: SMS that are owed, and daemons that send them. */
import type { Knex } from 'knex'
import { silentLog } from '../../../src/base/log/port.ts'
import { smsDispatcher, type SmsDispatcher } from '../../../src/sms/outbox/dispatch.ts'
import type { OutboxDeps } from '../../../src/sms/outbox/settings.ts'
import type { Receipt, SmsOutcome, SmsSubmit, SmsToSend } from '../../../src/sms/terms/types.ts'
import type { Clock } from '../../../src/ussd/vocabulary.ts'
import type { Postgres } from '../../../src/store/postgres/connection.ts'

export const START = Date.parse('2025-05-01T09:00:00+10:00')
export const HOUR = 3_600_000
export const MSISDN = '67570000001'

export interface OutboxFixture {
  sent: SmsToSend[]
  /** Counters, as `name kind state`. */
  counted: Record<string, number>
  open(
    submit: (...sent: Parameters<SmsSubmit>) => SmsOutcome | Promise<SmsOutcome>,
    deps?: Partial<OutboxDeps>,
  ): SmsDispatcher
  /** One row, due now; answers its id. */
  owe(row?: object): Promise<string>
  row(id: string): Promise<Record<string, unknown> | undefined>
}

export async function emptyOutbox(knex: Knex): Promise<void> {
  await knex.raw('TRUNCATE sms_outbox, sms_part, sms_receipt_orphan, sms_opt_out RESTART IDENTITY CASCADE')
}

/** One row, due at START; answers its id. It leaves when it is due. */
export async function oweSms(knex: Knex, row: object = {}): Promise<string> {
  const at = new Date(START)
  const whole = {
    subject: 'dental:1',
    kind: 'reminder',
    msisdn: MSISDN,
    line: 'digicel',
    text: 'Reminder',
    quiet_zone: null,
    due_at: at,
    expires_at: new Date(START + 24 * HOUR),
    wake_at: 'due_at' in row ? row.due_at : at,
    created_at: at,
    ...row,
  }
  const [made] = (await knex('sms_outbox').insert(whole).returning('id')) as { id: string }[]
  return made!.id
}

export function receipt(messageId: string, more: Partial<Receipt> = {}): Receipt {
  return {
    line: 'digicel',
    messageId,
    state: 'delivered',
    error: '000',
    from: MSISDN,
    doneMs: null,
    reference: null,
    ...more,
  }
}

/** On an empty outbox. */
export async function outboxFixture(
  { knex, sql }: Pick<Postgres, 'knex' | 'sql'>,
  clock: Clock,
): Promise<OutboxFixture> {
  await emptyOutbox(knex)
  const sent: SmsToSend[] = []
  const counted: Record<string, number> = {}
  const count = (name: string, labels: Record<string, string> = {}): void => {
    const key = [name, ...Object.values(labels)].join(' ')
    counted[key] = (counted[key] ?? 0) + 1
  }
  return {
    sent,
    counted,
    open: (submit, parts = {}) =>
      smsDispatcher({
        sql,
        submit: async (sms, beforePart) => (sent.push(sms), submit(sms, beforePart)),
        clock,
        chance: () => 0.5,
        log: silentLog,
        counters: { count },
        ...parts,
      }),
    owe: (row) => oweSms(knex, row),
    row: (id) => knex('sms_outbox').where({ id }).first<Record<string, unknown> | undefined>(),
  }
}
