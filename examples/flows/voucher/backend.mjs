/**
 * The back end of the voucher flow: vouchers, credits and unknown codes in three tables of the daemon's Postgres. Redeeming is
 * one transaction on the voucher's row: of two who try at once, one gets it. Unknown codes are counted a day, against guessing.
 */

/** Eleven digits and their checksum are typed by hand, and could be guessed by many tries: so these are bounded. */
const UNKNOWN_A_DAY = 5
const DAY_MS = 86_400_000

/** For the trial: three codes that are good, and one that has expired. `days` from the first use on. */
const SAMPLE = [
  { code: '100000000016', worth: 20, days: 30 },
  { code: '100000000024', worth: 50, days: 30 },
  { code: '100000000032', worth: 5, days: 30 },
  { code: '200000000014', worth: 10, days: -1 },
]

export function backend({ knex, clock, refuse, settings }) {
  const { sample = SAMPLE } = settings
  let prepared

  /** The tables, made and filled at the first use. */
  function ready() {
    prepared ??= prepare(knex, sample, clock.today()).catch((error) => {
      prepared = undefined
      throw error
    })
    return prepared
  }

  async function unknown(msisdn) {
    const day = new Date(clock.today()).toISOString().slice(0, 10)
    const [{ tries }] = await knex('example_voucher_unknown')
      .insert({ msisdn, day, tries: 1 })
      .onConflict(['msisdn', 'day'])
      .merge({ tries: knex.raw('example_voucher_unknown.tries + 1') })
      .returning('tries')
    return refuse(tries > UNKNOWN_A_DAY ? 'blocked' : 'unknown')
  }

  async function isBlocked(msisdn) {
    const day = new Date(clock.today()).toISOString().slice(0, 10)
    const row = await knex('example_voucher_unknown').where({ msisdn, day }).first()
    return (row?.tries ?? 0) >= UNKNOWN_A_DAY
  }

  return {
    operations: {
      look: async ({ code }, { msisdn }) => {
        await ready()
        if (await isBlocked(msisdn)) return refuse('blocked')
        const row = await knex('example_voucher')
          .where({ code: String(code) })
          .first()
        if (!row) return unknown(msisdn)
        const status = row.used_at ? 'used' : row.until.getTime() < clock.today() ? 'expired' : 'good'
        return { status, worth: row.worth, at: (row.used_at ?? row.until).toISOString() }
      },
      redeem: async ({ code }, { msisdn, intention }) => {
        await ready()
        return knex.transaction(async (trx) => {
          const row = await trx('example_voucher')
            .where({ code: String(code) })
            .forUpdate()
            .first()
          if (!row) return refuse('gone')
          const isOurs = row.used_intention === intention
          if (!isOurs && (row.used_at || row.until.getTime() < clock.today())) return refuse('gone')
          if (!isOurs) {
            await trx('example_voucher')
              .where({ code: row.code })
              .update({ used_at: new Date(clock.today()), used_by: msisdn, used_intention: intention })
            await trx('example_voucher_credit')
              .insert({ msisdn, kina: row.worth })
              .onConflict('msisdn')
              .merge({ kina: trx.raw('example_voucher_credit.kina + excluded.kina') })
          }
          const { kina } = await trx('example_voucher_credit').where({ msisdn }).first()
          return { worth: row.worth, balance: kina }
        })
      },
    },
  }
}

async function prepare(knex, sample, todayMs) {
  await knex.raw(`CREATE TABLE IF NOT EXISTS example_voucher (
    code text PRIMARY KEY, worth integer NOT NULL, until timestamptz NOT NULL, used_at timestamptz, used_by text, used_intention text)`)
  await knex.raw('CREATE TABLE IF NOT EXISTS example_voucher_credit (msisdn text PRIMARY KEY, kina integer NOT NULL)')
  await knex.raw(`CREATE TABLE IF NOT EXISTS example_voucher_unknown (
    msisdn text NOT NULL, day date NOT NULL, tries integer NOT NULL, PRIMARY KEY (msisdn, day))`)
  const rows = sample.map(({ code, worth, days }) => ({ code, worth, until: new Date(todayMs + days * DAY_MS) }))
  await knex('example_voucher').insert(rows).onConflict('code').ignore()
}
