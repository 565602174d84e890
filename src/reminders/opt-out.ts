/** Subscribers who want no SMS: looked at in the statement before each one leaves. */
import type { Knex } from 'knex'

/** No SMS to that number any more, also none that is owed already. Twice is harmless. */
export async function optOut(knex: Knex, msisdn: string, nowMs: number): Promise<void> {
  await knex('sms_opt_out').insert({ msisdn, opted_out_at: new Date(nowMs) }).onConflict('msisdn').ignore()
}

export async function optIn(knex: Knex, msisdn: string): Promise<void> {
  await knex('sms_opt_out').where({ msisdn }).delete()
}
