/**
 * The back end of the bank flow: accounts, payments and wrong PINs in three tables of the daemon's Postgres. A transfer
 * is one transaction with a unique intention key: a turn that is played again finds its transfer, and `state` tells by
 * that key what became of one whose answer did not arrive.
 */

const TRIES = 3
const LOCK_MS = 3_600_000
const DAY_MS = 86_400_000
const OPENING_TOEA = 120_000
/** What one account may send a day. */
const LIMIT_TOEA = 200_000
/** A trial account has receivers, and payments of the days before. */
const RECEIVERS = [
  { account: '20000001', name: 'Mary Kila' },
  { account: '20000002', name: 'John Toua' },
  { account: '20000003', name: 'Anna Wari' },
]
const PAYMENTS = [
  { days: 9, what: 'Salary', toea: 95_000 },
  { days: 6, what: 'Rent', toea: -40_000 },
  { days: 3, what: 'Fuel', toea: -8_050 },
  { days: 2, what: 'Mary Kila', toea: 1_500 },
  { days: 1, what: 'Power', toea: -3_000 },
]

/** @type {import('ussd-connector/plugin').BackendFactory} */
export function backend(host) {
  const { sql, refuse, subscriberIn } = host
  const { accountOf, quote, send, state } = accounts(host)

  return {
    prepare: () => makeTables(sql),
    subscriber: subscriberIn([
      { table: 'example_bank_payment', column: 'msisdn' },
      { table: 'example_bank_account', column: 'msisdn' },
    ]),
    operations: {
      verify: pins(host),
      balance: async (_args, { msisdn }) => ({ kina: (await accountOf(msisdn)).toea / 100 }),
      statement: async (_args, { msisdn }) => {
        const rows = await sql(
          'SELECT at, what, toea FROM example_bank_payment WHERE msisdn = :msisdn AND toea <> 0 ORDER BY at DESC LIMIT 50',
          { msisdn },
        )
        return { rows: rows.map(({ at, what, toea }) => ({ at: at.toISOString(), what, kina: Number(toea) / 100 })) }
      },
      receivers: async () => ({ rows: RECEIVERS }),
      quote,
      send,
      state,
    },
  }

  /** Accounts of new subscribers are made at their first PIN. */
  function pins({ transaction, clock, settings: { pin = '2580' } }) {
    return ({ pin: typed }, { msisdn }) =>
      transaction(async (tx) => {
        await open(tx, msisdn, clock)
        const [{ wrong, locked_until: until }] = await tx(
          'SELECT wrong, locked_until FROM example_bank_account WHERE msisdn = :msisdn FOR UPDATE',
          { msisdn },
        )
        if (until && until.getTime() > clock.today()) return refuse('locked')
        const now = String(typed) === pin ? 0 : wrong + 1
        const isLocked = now >= TRIES
        await tx('UPDATE example_bank_account SET wrong = :wrong, locked_until = :until WHERE msisdn = :msisdn', {
          msisdn,
          wrong: isLocked ? 0 : now,
          until: isLocked ? new Date(clock.today() + LOCK_MS) : null,
        })
        if (isLocked) return refuse('locked')
        return now === 0 ? {} : refuse('wrong', { left: TRIES - now })
      })
  }
}

async function makeTables(sql) {
  await sql(`CREATE TABLE IF NOT EXISTS example_bank_account (
    msisdn text PRIMARY KEY, toea bigint NOT NULL CHECK (toea >= 0), wrong integer NOT NULL, locked_until timestamptz)`)
  await sql(`CREATE TABLE IF NOT EXISTS example_bank_payment (
    nr serial PRIMARY KEY, intention text UNIQUE, msisdn text NOT NULL, what text NOT NULL, toea bigint NOT NULL,
    at timestamptz NOT NULL)`)
}

async function open(sql, msisdn, clock) {
  const made = await sql(
    `INSERT INTO example_bank_account (msisdn, toea, wrong) VALUES (:msisdn, :toea, 0)
    ON CONFLICT DO NOTHING RETURNING msisdn`,
    { msisdn, toea: OPENING_TOEA },
  )
  for (const { days, what, toea } of made.length > 0 ? PAYMENTS : [])
    await sql('INSERT INTO example_bank_payment (msisdn, what, toea, at) VALUES (:msisdn, :what, :toea, :at)', {
      msisdn,
      what,
      toea,
      at: new Date(clock.today() - days * DAY_MS),
    })
}

/** Accounts, and transfers from them. */
function accounts({ sql, transaction, clock, refuse }) {
  async function accountOf(msisdn, tx = sql, lock = '') {
    const [row] = await tx(`SELECT toea FROM example_bank_account WHERE msisdn = :msisdn ${lock}`, { msisdn })
    return { toea: Number(row?.toea ?? 0) }
  }

  async function quote({ account, amount }, { msisdn }) {
    const receiver = RECEIVERS.find((one) => one.account === String(account))
    if (!receiver) return refuse('no-account')
    const toea = Math.round(Number(amount) * 100)
    if (toea + feeOf(toea) > (await accountOf(msisdn)).toea) return refuse('insufficient')
    const left = LIMIT_TOEA - (await sentToday(msisdn))
    if (toea > left) return refuse('limit', { left: Math.max(0, left) / 100 })
    return { name: receiver.name, fee: feeOf(toea) / 100 }
  }

  async function sentToday(msisdn) {
    const [{ toea }] = await sql(
      `SELECT coalesce(sum(-toea), 0) AS toea FROM example_bank_payment
      WHERE msisdn = :msisdn AND intention IS NOT NULL AND at > :since`,
      { msisdn, since: new Date(clock.today() - DAY_MS) },
    )
    return Number(toea)
  }

  function send({ account, amount, fee }, { msisdn, intention }) {
    const toea = Math.round(Number(amount) * 100) + Math.round(Number(fee) * 100)
    const name = RECEIVERS.find((one) => one.account === String(account))?.name ?? String(account)
    return transaction(async (tx) => {
      const own = await accountOf(msisdn, tx, 'FOR UPDATE')
      const before = await made(tx, intention)
      if (before) return Number(before.toea) === 0 ? refuse('insufficient') : { reference: referenceOf(before.nr) }
      if (toea > own.toea) return refuse('insufficient')
      await tx('UPDATE example_bank_account SET toea = toea - :toea WHERE msisdn = :msisdn', { msisdn, toea })
      const [{ nr }] = await tx(
        `INSERT INTO example_bank_payment (intention, msisdn, what, toea, at)
        VALUES (:intention, :msisdn, :what, :toea, :at) RETURNING nr`,
        { intention, msisdn, what: name.slice(0, 10), toea: -toea, at: new Date(clock.today()) },
      )
      return { reference: referenceOf(nr) }
    })
  }

  /** What became of the transfer with this key. If it is not made, it never will be: a row without money takes its key. */
  function state(_args, { msisdn, settles }) {
    return transaction(async (tx) => {
      await accountOf(msisdn, tx, 'FOR UPDATE')
      const before = await made(tx, settles)
      if (before) return { is: Number(before.toea) === 0 ? 'refused' : 'sent' }
      await tx(
        "INSERT INTO example_bank_payment (intention, msisdn, what, toea, at) VALUES (:settles, :msisdn, '', 0, :at)",
        { settles, msisdn, at: new Date(clock.today()) },
      )
      return { is: 'refused' }
    })
  }

  return { accountOf, quote, send, state }
}

async function made(sql, intention) {
  const [row] = await sql('SELECT nr, toea FROM example_bank_payment WHERE intention = :intention', { intention })
  return row
}

/** Up to 100 kina nothing, else one kina. */
function feeOf(toea) {
  return toea <= 10_000 ? 0 : 100
}

function referenceOf(nr) {
  return `B${String(nr).padStart(6, '0')}`
}
