/** Subscribers who want no SMS: looked at in the statement before each one leaves. */
import type { Knex } from 'knex'

/** No SMS to that number any more, also none that is owed already. False: it was so before. */
export async function optOut(knex: Knex, msisdn: string, nowMs: number): Promise<boolean> {
  const row = { msisdn, opted_out_at: new Date(nowMs) }
  const made = await knex('sms_opt_out').insert(row).onConflict('msisdn').ignore().returning('msisdn')
  return made.length > 0
}

/** False: it was so before. */
export async function optIn(knex: Knex, msisdn: string): Promise<boolean> {
  return (await knex('sms_opt_out').where({ msisdn }).delete()) > 0
}
