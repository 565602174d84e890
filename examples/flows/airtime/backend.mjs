/**
 * The back end of the airtime flow: accounts, offers and purchases in two tables of the daemon's Postgres. A payment is
 * one transaction with a unique intention key: if a turn is played again, it finds the payment that it made.
 */

/** The offers. `least`: only for a balance of at least that. Prices in kina. */
const BUNDLES = [
  { id: 'd100', name: '100 MB', days: 1, price: 3, least: 0 },
  { id: 'd500', name: '500 MB', days: 3, price: 8, least: 0 },
  { id: 'w1', name: '1 GB', days: 7, price: 15, least: 0 },
  { id: 'w2', name: '2 GB and night calls', days: 7, price: 24, least: 0 },
  { id: 'm5', name: '5 GB', days: 30, price: 49.5, least: 0 },
  { id: 'm10', name: '10 GB', days: 30, price: 90, least: 100 },
]
/** The stored name of a top-up. Each subscriber sees it in the language of the dialogue. */
const AIRTIME = 'airtime'
const WORDS = { en: 'Airtime', tpi: 'Kredit' }
const OPENING_TOEA = 5_000
const PURCHASES_SHOWN = 20

/** @type {import('ussd-connector/plugin').BackendFactory} */
export function backend(host) {
  const { sql, refuse, subscriberIn } = host
  const { balanceOf, pay } = accounts(host)

  return {
    prepare: () => makeTables(sql),
    subscriber: subscriberIn([
      { table: 'example_airtime_purchase', column: 'msisdn' },
      { table: 'example_airtime_account', column: 'msisdn' },
    ]),
    operations: {
      account: async (_args, { msisdn }) => ({ balance: (await balanceOf(msisdn)) / 100 }),
      topup: async ({ amount, receiver }, context) => {
        if (!/^675\d{8}$/.test(String(receiver))) return refuse('unknown-number')
        return pay(context, { what: AIRTIME, price: Number(amount) })
      },
      offers: async (_args, { msisdn }) => {
        const rows = offersFor(await balanceOf(msisdn))
        return { rows: rows.map(({ id, name, days, price }) => ({ id, name, days, price })) }
      },
      buy: async ({ id, price }, context) => {
        const bundle = BUNDLES.find((one) => one.id === id)
        // The subscriber pays the price that was shown, and no other.
        if (!bundle || bundle.price !== Number(price)) return refuse('changed')
        return pay(context, { what: bundle.name, price: bundle.price }, (toea) =>
          toea < bundle.least * 100 ? 'changed' : undefined,
        )
      },
      purchases: async (_args, { msisdn, language }) => {
        const words = (what) => (what === AIRTIME ? (WORDS[language] ?? WORDS.en) : what)
        const rows = await sql(
          `SELECT * FROM example_airtime_purchase WHERE msisdn = :msisdn ORDER BY nr DESC LIMIT ${PURCHASES_SHOWN}`,
          { msisdn },
        )
        return {
          rows: rows.map(({ at, what, toea, reference }) => ({
            at: at.toISOString(),
            what: words(what),
            price: Number(toea) / 100,
            reference,
          })),
        }
      },
    },
  }
}

async function makeTables(sql) {
  await sql(`CREATE TABLE IF NOT EXISTS example_airtime_account (
    msisdn text PRIMARY KEY, toea bigint NOT NULL CHECK (toea >= 0))`)
  await sql(`CREATE TABLE IF NOT EXISTS example_airtime_purchase (
    nr serial PRIMARY KEY, intention text UNIQUE NOT NULL, msisdn text NOT NULL, what text NOT NULL,
    toea bigint NOT NULL, toea_after bigint NOT NULL, reference text, at timestamptz NOT NULL)`)
}

function offersFor(toea) {
  return BUNDLES.filter(({ price, least }) => Math.max(price, least) * 100 <= toea)
}

/** Accounts, and the payments from them. */
function accounts({ transaction, clock, refuse, settings }) {
  const { opening = OPENING_TOEA / 100 } = settings

  /** The balance. Its row is locked until the transaction ends. */
  async function account(sql, msisdn) {
    await sql('INSERT INTO example_airtime_account (msisdn, toea) VALUES (:msisdn, :toea) ON CONFLICT DO NOTHING', {
      msisdn,
      toea: Math.round(opening * 100),
    })
    const [row] = await sql('SELECT toea FROM example_airtime_account WHERE msisdn = :msisdn FOR UPDATE', { msisdn })
    return Number(row.toea)
  }
  const balanceOf = (msisdn) => transaction((sql) => account(sql, msisdn))

  /** Pays once per intention. `refusal` gets the balance before anything is written. */
  function pay({ msisdn, intention }, { what, price }, refusal = () => undefined) {
    return transaction(async (sql) => {
      const toea = await account(sql, msisdn)
      const [before] = await sql('SELECT * FROM example_airtime_purchase WHERE intention = :intention', { intention })
      if (before) return { balance: Number(before.toea_after) / 100, reference: before.reference }
      const refused = refusal(toea)
      if (refused) return refuse(refused)
      const after = toea - Math.round(price * 100)
      if (after < 0) return refuse('insufficient')
      const [{ nr }] = await sql(
        `INSERT INTO example_airtime_purchase (intention, msisdn, what, toea, toea_after, at)
        VALUES (:intention, :msisdn, :what, :toea, :after, :at) RETURNING nr`,
        { intention, msisdn, what, toea: toea - after, after, at: new Date(clock.today()) },
      )
      const reference = `A${String(nr).padStart(6, '0')}`
      await sql('UPDATE example_airtime_purchase SET reference = :reference WHERE nr = :nr', { nr, reference })
      await sql('UPDATE example_airtime_account SET toea = :after WHERE msisdn = :msisdn', { msisdn, after })
      return { balance: after / 100, reference }
    })
  }

  return { balanceOf, pay }
}
