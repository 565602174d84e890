/** Removes a subscriber from the dental service. */
import type { Knex } from 'knex'

/** Everything about one MSISDN: profile, holds, appointments (their slots are free again). Answers how many rows. */
export async function eraseSubscriber(knex: Knex, msisdn: string): Promise<number> {
  return knex.transaction(async (trx) => {
    let rows = 0
    for (const table of ['dental_hold', 'dental_appointment', 'dental_profile']) {
      rows += await trx(table).where({ msisdn }).delete()
    }
    return rows
  })
}
