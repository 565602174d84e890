/**
 * The back end of the voucher flow: vouchers, credits and unknown codes in three tables of the daemon's Postgres.
 * Redeeming is one transaction on the voucher's row: if two try at once, one gets it. Unknown codes are counted per
 * day, against guessing.
 */

/** Eleven digits and their checksum are typed by hand, and many tries could guess them. So tries are limited. */
const UNKNOWN_A_DAY = 5
const DAY_MS = 86_400_000

/** For trials: three valid codes, and one that has expired. `days` count from the first use. */
const SAMPLE = [
  { code: '100000000016', worth: 20, days: 30 },
  { code: '100000000024', worth: 50, days: 30 },
  { code: '100000000032', worth: 5, days: 30 },
  { code: '200000000014', worth: 10, days: -1 },
]

/** @type {import('ussd-connector/plugin').BackendFactory} */
export function backend(host) {
  const { sql, transaction, clock, refuse, settings, subscriberIn } = host
  const { sample = SAMPLE } = settings
  const { unknown, isBlocked } = guesses(host)

  return {
    prepare: () => makeTables(sql, sample, clock),
    subscriber: subscriberIn([
      { table: 'example_voucher', column: 'used_by' },
      { table: 'example_voucher_credit', column: 'msisdn' },
      { table: 'example_voucher_unknown', column: 'msisdn' },
    ]),
    operations: {
      look: async ({ code }, { msisdn }) => {
        if (await isBlocked(msisdn)) return refuse('blocked')
        const [row] = await sql('SELECT * FROM example_voucher WHERE code = :code', { code: String(code) })
        if (!row) return unknown(msisdn)
        const status = row.used_at ? 'used' : row.until.getTime() < clock.today() ? 'expired' : 'good'
        return { status, worth: row.worth, at: (row.used_at ?? row.until).toISOString() }
      },
      redeem: ({ code }, { msisdn, intention }) =>
        transaction(async (sql) => {
          const [row] = await sql('SELECT * FROM example_voucher WHERE code = :code FOR UPDATE', { code: String(code) })
          if (!row) return refuse('gone')
          const isOurs = row.used_intention === intention
          if (!isOurs && (row.used_at || row.until.getTime() < clock.today())) return refuse('gone')
          if (!isOurs) await credit(sql, row, { msisdn, intention, at: new Date(clock.today()) })
          const [{ kina }] = await sql('SELECT kina FROM example_voucher_credit WHERE msisdn = :msisdn', { msisdn })
          return { worth: row.worth, balance: kina }
        }),
    },
  }
}

async function makeTables(sql, sample, clock) {
  await sql(`CREATE TABLE IF NOT EXISTS example_voucher (
    code text PRIMARY KEY, worth integer NOT NULL, until timestamptz NOT NULL, used_at timestamptz, used_by text,
    used_intention text)`)
  await sql('CREATE TABLE IF NOT EXISTS example_voucher_credit (msisdn text PRIMARY KEY, kina integer NOT NULL)')
  await sql(`CREATE TABLE IF NOT EXISTS example_voucher_unknown (
    msisdn text NOT NULL, day date NOT NULL, tries integer NOT NULL, PRIMARY KEY (msisdn, day))`)
  for (const { code, worth, days } of sample)
    await sql(
      'INSERT INTO example_voucher (code, worth, until) VALUES (:code, :worth, :until) ON CONFLICT DO NOTHING',
      { code, worth, until: new Date(clock.today() + days * DAY_MS) },
    )
}

/** Marks the voucher as used and credits its value to the subscriber. */
async function credit(sql, { code, worth }, { msisdn, intention, at }) {
  await sql(
    `UPDATE example_voucher SET used_at = :at, used_by = :msisdn, used_intention = :intention
    WHERE code = :code`,
    { at, msisdn, intention, code },
  )
  await sql(
    `INSERT INTO example_voucher_credit (msisdn, kina) VALUES (:msisdn, :worth)
    ON CONFLICT (msisdn) DO UPDATE SET kina = example_voucher_credit.kina + excluded.kina`,
    { msisdn, worth },
  )
}

/** Unknown codes that were tried, by subscriber and day. */
function guesses({ sql, clock, refuse }) {
  const today = () => new Date(clock.today()).toISOString().slice(0, 10)

  async function unknown(msisdn) {
    const [{ tries }] = await sql(
      `INSERT INTO example_voucher_unknown (msisdn, day, tries) VALUES (:msisdn, CAST(:day AS date), 1)
      ON CONFLICT (msisdn, day) DO UPDATE SET tries = example_voucher_unknown.tries + 1 RETURNING tries`,
      { msisdn, day: today() },
    )
    return refuse(tries > UNKNOWN_A_DAY ? 'blocked' : 'unknown')
  }

  async function isBlocked(msisdn) {
    const [row] = await sql(
      'SELECT tries FROM example_voucher_unknown WHERE msisdn = :msisdn AND day = CAST(:day AS date)',
      { msisdn, day: today() },
    )
    return (row?.tries ?? 0) >= UNKNOWN_A_DAY
  }

  return { unknown, isBlocked }
}
