/**
 * The back end of the survey flow: one row for each subscriber in the daemon's Postgres, with the answers so far. Saving an
 * answer twice is the same as once; a finished row is never changed again.
 */

const KEYS = new Set(['farm', 'crop', 'name', 'trees', 'sold', 'phone', 'age'])

export function backend({ knex, clock, refuse }) {
  let prepared

  /** The table, made at the first use. */
  function ready() {
    prepared ??= prepare(knex).catch((error) => {
      prepared = undefined
      throw error
    })
    return prepared
  }

  /** In one transaction, with the row locked: two dialogues of one number cannot answer at once. */
  async function withRow(msisdn, run) {
    await ready()
    return knex.transaction(async (trx) => {
      await trx('example_survey')
        .insert({ msisdn, begun_at: new Date(clock.today()) })
        .onConflict('msisdn')
        .ignore()
      return run(trx, await trx('example_survey').where({ msisdn }).forUpdate().first())
    })
  }

  return {
    operations: {
      state: async (_args, { msisdn }) => {
        await ready()
        return stateOf(await knex('example_survey').where({ msisdn }).first())
      },
      save: ({ key, value }, { msisdn }) =>
        withRow(msisdn, async (trx, row) => {
          if (row.nr !== null) return refuse('closed')
          if (!KEYS.has(key)) throw new Error('no such question')
          const answers = { ...row.answers, [key]: value }
          await trx('example_survey')
            .where({ msisdn })
            .update({ answers: JSON.stringify(answers) })
          return stateOf({ ...row, answers })
        }),
      finish: (_args, { msisdn, intention }) =>
        withRow(msisdn, async (trx, row) => {
          if (row.nr !== null) return row.intention === intention ? { nr: Number(row.nr) } : refuse('closed')
          // One counter, so that numbers have no gaps.
          await trx.raw('LOCK TABLE example_survey IN EXCLUSIVE MODE')
          const { last } = await trx('example_survey').max('nr as last').first()
          const nr = Number(last ?? 0) + 1
          await trx('example_survey')
            .where({ msisdn })
            .update({ nr, intention, done_at: new Date(clock.today()) })
          return { nr }
        }),
    },
  }
}

function stateOf(row) {
  const answers = row?.answers ?? {}
  return { ...answers, done: (row?.nr ?? null) !== null, given: Object.keys(answers).length }
}

async function prepare(knex) {
  await knex.raw(`CREATE TABLE IF NOT EXISTS example_survey (
    msisdn text PRIMARY KEY, answers jsonb NOT NULL DEFAULT '{}', nr integer UNIQUE, intention text, begun_at timestamptz NOT NULL,
    done_at timestamptz)`)
}
