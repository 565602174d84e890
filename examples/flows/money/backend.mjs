/**
 * The back end of the money flow: accounts and transfers in two tables of the daemon's Postgres. PINs are the work of the
 * module `pin`. A transfer is one transaction, and its intention key is unique: a turn that is played again finds it.
 */

/** Fees in toea, by the amount that is sent: up to so many toea. */
const FEES = [
  [5_000, 50],
  [20_000, 100],
  [100_000, 250],
  [Infinity, 500],
]
const NAMES = ['Mary Kila', 'John Toua', 'Anna Wari', 'Peter Kaupa']
const OPENING_TOEA = 30_000

export function backend({ knex, clock, refuse, settings }) {
  const { opening = OPENING_TOEA / 100 } = settings
  let prepared

  /** The tables, made at the first use. */
  function ready() {
    prepared ??= prepare(knex).catch((error) => {
      prepared = undefined
      throw error
    })
    return prepared
  }

  /** Locked until the transaction ends. Whoever comes for the first time has the opening balance. */
  async function account(trx, msisdn) {
    const name = NAMES[Number(msisdn.slice(-2)) % NAMES.length]
    await trx('example_money_account')
      .insert({ msisdn, name, toea: Math.round(opening * 100) })
      .onConflict('msisdn')
      .ignore()
    const row = await trx('example_money_account').where({ msisdn }).forUpdate().first()
    return { name: row.name, toea: Number(row.toea) }
  }

  async function send({ receiver, amount, fee }, { msisdn, intention }) {
    await ready()
    const toea = Math.round(Number(amount) * 100)
    if (feeOf(toea) !== Math.round(Number(fee) * 100)) return refuse('fee-changed')
    return knex.transaction(async (trx) => {
      // In one order always, so that two who send to each other do not wait for each other.
      const accounts = {}
      for (const one of [msisdn, receiver].toSorted()) accounts[one] = await account(trx, one)
      const before = await trx('example_money_transfer').where({ intention }).first()
      if (before) return { reference: referenceOf(before.nr), balance: Number(before.toea_after) / 100 }
      const after = accounts[msisdn].toea - toea - feeOf(toea)
      if (after < 0) return refuse('insufficient')
      await trx('example_money_account').where({ msisdn }).update({ toea: after })
      await trx('example_money_account').where({ msisdn: receiver }).increment('toea', toea)
      const [{ nr }] = await trx('example_money_transfer')
        .insert({ intention, msisdn, receiver, toea, fee: feeOf(toea), toea_after: after, at: new Date(clock.today()) })
        .returning('nr')
      return { reference: referenceOf(nr), balance: after / 100 }
    })
  }

  return {
    operations: {
      quote: async ({ receiver, amount }, { msisdn }) => {
        await ready()
        if (!/^675\d{8}$/.test(String(receiver))) return refuse('unknown-receiver')
        const toea = Math.round(Number(amount) * 100)
        const fee = feeOf(toea)
        const own = await knex.transaction((trx) => account(trx, msisdn))
        if (toea + fee > own.toea) return refuse('insufficient')
        const { name } = await knex.transaction((trx) => account(trx, receiver))
        return { name, fee: fee / 100, total: (toea + fee) / 100 }
      },
      send,
      balance: async (_args, { msisdn }) => {
        await ready()
        return { amount: (await knex.transaction((trx) => account(trx, msisdn))).toea / 100 }
      },
    },
  }
}

function feeOf(toea) {
  return FEES.find(([upTo]) => toea <= upTo)[1]
}

function referenceOf(nr) {
  return `M${String(nr).padStart(6, '0')}`
}

async function prepare(knex) {
  await knex.raw(
    'CREATE TABLE IF NOT EXISTS example_money_account (msisdn text PRIMARY KEY, name text NOT NULL, toea bigint NOT NULL CHECK (toea >= 0))',
  )
  await knex.raw(`CREATE TABLE IF NOT EXISTS example_money_transfer (
    nr serial PRIMARY KEY, intention text UNIQUE NOT NULL, msisdn text NOT NULL, receiver text NOT NULL, toea bigint NOT NULL,
    fee bigint NOT NULL, toea_after bigint NOT NULL, at timestamptz NOT NULL)`)
}
