/**
 * The back end of the money flow: accounts and transfers in two tables of the daemon's Postgres. The module `pin`
 * handles PINs. A transfer is one transaction with a unique intention key: if a turn is played again, it finds its
 * transfer.
 */

/** Fees in toea, by the amount that is sent: up to this many toea. */
const FEES = [
  [5_000, 50],
  [20_000, 100],
  [100_000, 250],
  [Infinity, 500],
]
const NAMES = ['Mary Kila', 'John Toua', 'Anna Wari', 'Peter Kaupa']
const OPENING_TOEA = 30_000

/** @type {import('ussd-connector/plugin').BackendFactory} */
export function backend(host) {
  const { sql, refuse, subscriberIn } = host
  const { accountOf, send } = accounts(host)

  return {
    prepare: () => makeTables(sql),
    // If the subscriber is the receiver, the row also belongs to the sender: a real service must decide how long it
    // keeps it.
    subscriber: subscriberIn([
      { table: 'example_money_transfer', column: 'msisdn' },
      { table: 'example_money_account', column: 'msisdn' },
    ]),
    operations: {
      quote: async ({ receiver, amount }, { msisdn }) => {
        if (!/^675\d{8}$/.test(String(receiver))) return refuse('unknown-receiver')
        const toea = Math.round(Number(amount) * 100)
        const fee = feeOf(toea)
        const own = await accountOf(msisdn)
        if (toea + fee > own.toea) return refuse('insufficient')
        const { name } = await accountOf(receiver)
        return { name, fee: fee / 100, total: (toea + fee) / 100 }
      },
      send,
      balance: async (_args, { msisdn }) => ({ amount: (await accountOf(msisdn)).toea / 100 }),
    },
  }
}

async function makeTables(sql) {
  await sql(`CREATE TABLE IF NOT EXISTS example_money_account (
    msisdn text PRIMARY KEY, name text NOT NULL, toea bigint NOT NULL CHECK (toea >= 0))`)
  await sql(`CREATE TABLE IF NOT EXISTS example_money_transfer (
    nr serial PRIMARY KEY, intention text UNIQUE NOT NULL, msisdn text NOT NULL, receiver text NOT NULL,
    toea bigint NOT NULL, fee bigint NOT NULL, toea_after bigint NOT NULL, at timestamptz NOT NULL)`)
}

/** Accounts, and transfers between them. */
function accounts({ transaction, clock, refuse, settings }) {
  const { opening = OPENING_TOEA / 100 } = settings

  /** The row is locked until the transaction ends. A new subscriber gets the opening balance. */
  async function account(sql, msisdn) {
    const name = NAMES[Number(msisdn.slice(-2)) % NAMES.length]
    await sql(
      'INSERT INTO example_money_account (msisdn, name, toea) VALUES (:msisdn, :name, :toea) ON CONFLICT DO NOTHING',
      { msisdn, name, toea: Math.round(opening * 100) },
    )
    const [row] = await sql('SELECT * FROM example_money_account WHERE msisdn = :msisdn FOR UPDATE', { msisdn })
    return { name: row.name, toea: Number(row.toea) }
  }
  const accountOf = (msisdn) => transaction((sql) => account(sql, msisdn))

  async function send({ receiver, amount, fee }, { msisdn, intention }) {
    const toea = Math.round(Number(amount) * 100)
    if (feeOf(toea) !== Math.round(Number(fee) * 100)) return refuse('fee-changed')
    return transaction(async (sql) => {
      // Always in the same order, so that two who send to each other do not wait for each other.
      const accounts = {}
      for (const one of [msisdn, receiver].toSorted()) accounts[one] = await account(sql, one)
      const [before] = await sql('SELECT * FROM example_money_transfer WHERE intention = :intention', { intention })
      if (before) return { reference: referenceOf(before.nr), balance: Number(before.toea_after) / 100 }
      const after = accounts[msisdn].toea - toea - feeOf(toea)
      if (after < 0) return refuse('insufficient')
      await sql('UPDATE example_money_account SET toea = :after WHERE msisdn = :msisdn', { msisdn, after })
      await sql('UPDATE example_money_account SET toea = toea + :toea WHERE msisdn = :receiver', { receiver, toea })
      const [{ nr }] = await sql(
        `INSERT INTO example_money_transfer (intention, msisdn, receiver, toea, fee, toea_after, at)
        VALUES (:intention, :msisdn, :receiver, :toea, :fee, :after, :at) RETURNING nr`,
        { intention, msisdn, receiver, toea, fee: feeOf(toea), after, at: new Date(clock.today()) },
      )
      return { reference: referenceOf(nr), balance: after / 100 }
    })
  }

  return { accountOf, send }
}

function feeOf(toea) {
  return FEES.find(([upTo]) => toea <= upTo)[1]
}

function referenceOf(nr) {
  return `M${String(nr).padStart(6, '0')}`
}
