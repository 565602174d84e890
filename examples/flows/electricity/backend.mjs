/**
 * The back end of the electricity flow: meters, sales and balances in three tables of the daemon's Postgres. A sale is
 * one transaction, known by its `intention`: the same call again gives the same token. `state` tells of a sale whose answer
 * got lost what became of it; if there is none, it sees to it that there will be none.
 */
import { createHash } from 'node:crypto'

/** For trials: two meters, by number and the name on the bill. */
const METERS = [
  { meter: '10000000009', name: 'Kila, Mary' },
  { meter: '20000000008', name: 'Shop Boroko' },
]
const PRICE = 1.15
const A_DAY = 500
const OPENING = 800
const SHOWN = 5
/** For trials: a sale of this amount is made, and its answer gets lost. */
const LOST = 13

const money = (value) => Math.round(value * 100) / 100
const tokenOf = (intention) =>
  String(BigInt(`0x${createHash('sha256').update(intention).digest('hex')}`) % 10n ** 20n)
    .padStart(20, '0')
    .replace(/(\d{4})(?=\d)/g, '$1-')

async function saleOf(sql, intention) {
  const [row] = await sql('SELECT token, units FROM example_power_sale WHERE intention = :intention', { intention })
  return row && { token: row.token, units: Number(row.units) }
}

/** Locks the account: what is done with it is done one after the other. */
async function lockedAccount(sql, msisdn) {
  await sql('INSERT INTO example_power_account VALUES (:msisdn, :kina) ON CONFLICT DO NOTHING', {
    msisdn,
    kina: OPENING,
  })
  const [account] = await sql('SELECT kina FROM example_power_account WHERE msisdn = :msisdn FOR UPDATE', { msisdn })
  return account
}

async function sell(sql, { meter, amount }, { msisdn, intention }, { now, refuse }) {
  const account = await lockedAccount(sql, msisdn)
  const before = await saleOf(sql, intention)
  if (before) return before
  const [given] = await sql('SELECT 1 FROM example_power_void WHERE intention = :intention', { intention })
  if (given) throw new Error('this sale was given up before')
  const [{ spent }] = await sql(
    `SELECT coalesce(sum(amount), 0) AS spent FROM example_power_sale
    WHERE msisdn = :msisdn AND at > CAST(:now AS timestamptz) - interval '1 day'`,
    { msisdn, now },
  )
  if (amount > A_DAY - Number(spent)) return refuse('DAILY LIMIT', { left: money(A_DAY - Number(spent)) })
  if (amount > Number(account.kina)) return refuse('INSUFFICIENT_FUNDS')
  const made = { token: tokenOf(intention), units: Math.floor(amount / PRICE) }
  await sql('UPDATE example_power_account SET kina = kina - :amount WHERE msisdn = :msisdn', { msisdn, amount })
  await sql(
    `INSERT INTO example_power_sale (intention, msisdn, meter, amount, token, units, at)
    VALUES (:intention, :msisdn, :meter, :amount, :token, :units, :at)`,
    { intention, msisdn, meter, amount, ...made, at: now },
  )
  return made
}

/** @type {import('ussd-connector/plugin').BackendFactory} */
export function backend({ sql, transaction, clock, settings, refuse, subscriberIn }) {
  const { meters = METERS } = settings
  const known = new Map(meters.map(({ meter, name }) => [meter, name]))
  const now = () => new Date(clock.today())

  return {
    prepare: () => makeTables(sql),
    subscriber: subscriberIn([
      { table: 'example_power_sale', column: 'msisdn' },
      { table: 'example_power_account', column: 'msisdn' },
    ]),
    operations: {
      meters: async (_args, { msisdn }) => {
        const rows = await sql(
          `SELECT meter FROM example_power_sale WHERE msisdn = :msisdn GROUP BY meter ORDER BY max(at) DESC LIMIT ${SHOWN}`,
          { msisdn },
        )
        return { rows: rows.map(({ meter }) => ({ meter, name: known.get(meter) ?? '' })) }
      },
      look: async ({ meter }) => (known.has(meter) ? { name: known.get(meter) } : refuse('UNKNOWN_METER')),
      buy: async ({ meter, amount }, context) => {
        const made = await transaction((sql) =>
          sell(sql, { meter: String(meter), amount: Number(amount) }, context, { now: now(), refuse }),
        )
        if (Number(amount) === LOST) throw new Error('for trials: the answer to this sale gets lost')
        return made
      },
      state: (_args, { settles = '', msisdn }) =>
        transaction(async (sql) => {
          await lockedAccount(sql, msisdn)
          const made = await saleOf(sql, settles)
          if (made) return { state: 'sold', ...made }
          // The sale may still be on its way: it must not be made after this.
          await sql('INSERT INTO example_power_void VALUES (:settles) ON CONFLICT DO NOTHING', { settles })
          return { state: 'none', token: '', units: 0 }
        }),
      tokens: async (_args, { msisdn }) => {
        const rows = await sql(
          `SELECT token, meter, amount, at FROM example_power_sale WHERE msisdn = :msisdn ORDER BY at DESC LIMIT ${SHOWN}`,
          { msisdn },
        )
        const row = ({ token, meter, amount, at }) => ({
          token,
          name: known.get(meter) ?? '',
          amount: Number(amount),
          at: at.toISOString(),
        })
        return { rows: rows.map(row) }
      },
    },
  }
}

async function makeTables(sql) {
  await sql('CREATE TABLE IF NOT EXISTS example_power_account (msisdn text PRIMARY KEY, kina numeric(10,2) NOT NULL)')
  await sql(`CREATE TABLE IF NOT EXISTS example_power_sale (
    intention text PRIMARY KEY, msisdn text NOT NULL, meter text NOT NULL, amount numeric(10,2) NOT NULL,
    token text NOT NULL, units integer NOT NULL, at timestamptz NOT NULL)`)
  await sql('CREATE TABLE IF NOT EXISTS example_power_void (intention text PRIMARY KEY)')
  await sql('CREATE INDEX IF NOT EXISTS example_power_sale_of ON example_power_sale (msisdn, at)')
}
