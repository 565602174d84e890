/**
 * The back end of the survey flow: one row per subscriber in the daemon's Postgres, with the answers so far. Saving an
 * answer twice has the effect of once. A finished row never changes.
 */

const KEYS = new Set(['farm', 'crop', 'name', 'trees', 'sold', 'phone', 'age'])

/** @type {import('ussd-connector/plugin').BackendFactory} */
export function backend({ sql, transaction, clock, refuse, subscriberIn }) {
  /** In one transaction with the row locked: two dialogues of one number cannot answer at once. */
  function withRow(msisdn, run) {
    return transaction(async (sql) => {
      await sql('INSERT INTO example_survey (msisdn, begun_at) VALUES (:msisdn, :at) ON CONFLICT DO NOTHING', {
        msisdn,
        at: new Date(clock.today()),
      })
      const [row] = await sql('SELECT * FROM example_survey WHERE msisdn = :msisdn FOR UPDATE', { msisdn })
      return run(sql, row)
    })
  }

  return {
    prepare: async () => {
      await sql(`CREATE TABLE IF NOT EXISTS example_survey (
        msisdn text PRIMARY KEY, answers jsonb NOT NULL DEFAULT '{}', nr integer UNIQUE, intention text,
        begun_at timestamptz NOT NULL, done_at timestamptz)`)
    },
    subscriber: subscriberIn([{ table: 'example_survey', column: 'msisdn' }]),
    operations: {
      state: async (_args, { msisdn }) => {
        const [row] = await sql('SELECT * FROM example_survey WHERE msisdn = :msisdn', { msisdn })
        return stateOf(row)
      },
      save: ({ key, value }, { msisdn }) =>
        withRow(msisdn, async (sql, row) => {
          if (row.nr !== null) return refuse('closed')
          if (!KEYS.has(key)) throw new Error('no such question')
          const answers = { ...row.answers, [key]: value }
          await sql('UPDATE example_survey SET answers = CAST(:answers AS jsonb) WHERE msisdn = :msisdn', {
            msisdn,
            answers: JSON.stringify(answers),
          })
          return stateOf({ ...row, answers })
        }),
      finish: (_args, { msisdn, intention }) =>
        withRow(msisdn, async (sql, row) => {
          if (row.nr !== null) return row.intention === intention ? { nr: Number(row.nr) } : refuse('closed')
          // One counter, so that the numbers have no gaps.
          await sql('LOCK TABLE example_survey IN EXCLUSIVE MODE')
          const [{ last }] = await sql('SELECT max(nr) AS last FROM example_survey')
          const nr = Number(last ?? 0) + 1
          await sql(
            'UPDATE example_survey SET nr = :nr, intention = :intention, done_at = :at WHERE msisdn = :msisdn',
            { msisdn, nr, intention, at: new Date(clock.today()) },
          )
          return { nr }
        }),
    },
  }
}

function stateOf(row) {
  const answers = row?.answers ?? {}
  return { ...answers, done: (row?.nr ?? null) !== null, given: Object.keys(answers).length }
}
