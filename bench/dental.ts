/**
 * The data of the dental scenario: each subscriber has had one visit, so that the type and the clinic that come first
 * in the lists are another pair for each of 500 phones in a row (the setting `tailored`). Without it all would want the
 * same visit, and most would be told that it has just been taken.
 */
import pg from 'pg'

/** The first number of the simulator's load runs, and how many are known: more than the runs of a bench use. */
const [FIRST_MSISDN, SUBSCRIBERS] = [67_500_000_000, 30_000]
const [TYPES, CLINICS] = [25, 20]

export async function seedDental(postgres: string): Promise<void> {
  await withSql(postgres, async (sql) => {
    await sql.query(`
      INSERT INTO dental_clinic (id, name, zone, position)
      SELECT 'c' || n, 'Clinic ' || n, 'Pacific/Port_Moresby', n FROM generate_series(0, ${CLINICS - 1}) n`)
    await sql.query(`
      INSERT INTO dental_type (id, position, every_days) SELECT 't' || n, n, 30 FROM generate_series(0, ${TYPES - 1}) n`)
    await sql.query(`
      INSERT INTO dental_type_name (type, language, name)
      SELECT 't' || n, 'en', 'Visit ' || n FROM generate_series(0, ${TYPES - 1}) n`)
    await sql.query(`
      INSERT INTO dental_slot (clinic, type, starts_at)
      SELECT 'c' || c, 't' || t, date_trunc('hour', now()) + interval '30 days'
      FROM generate_series(0, ${CLINICS - 1}) c, generate_series(0, ${TYPES - 1}) t`)
    await sql.query(`
      INSERT INTO dental_profile (msisdn, name, language, created_at)
      SELECT (${FIRST_MSISDN} + n)::text, 'Mary', 'en', now() FROM generate_series(0, ${SUBSCRIBERS - 1}) n`)
    await sql.query(`
      WITH visited AS (
        INSERT INTO dental_slot (clinic, type, starts_at)
        SELECT 'c' || n / ${TYPES} % ${CLINICS}, 't' || n % ${TYPES}, now() - interval '90 days' - n * interval '1 second'
        FROM generate_series(0, ${SUBSCRIBERS - 1}) n RETURNING id
      )
      INSERT INTO dental_appointment (msisdn, slot, intention, booked_at)
      SELECT (${FIRST_MSISDN} - 1 + row_number() OVER (ORDER BY id))::text, id, 'seed:' || id, now() - interval '100 days'
      FROM visited`)
    await sql.query('VACUUM ANALYZE')
  })
}

export async function clearDental(postgres: string): Promise<void> {
  await withSql(postgres, async (sql) => {
    await sql.query('TRUNCATE dental_hold')
    await sql.query(`DELETE FROM dental_appointment WHERE intention NOT LIKE 'seed:%'`)
    await sql.query('DELETE FROM sms_outbox')
    await sql.query('VACUUM dental_appointment, sms_outbox')
  })
}

async function withSql(postgres: string, work: (sql: pg.Client) => Promise<void>): Promise<void> {
  const sql = new pg.Client({ connectionString: postgres })
  await sql.connect()
  try {
    await work(sql)
  } finally {
    await sql.end()
  }
}
