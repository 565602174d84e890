/** The flow archive in Postgres: the source of every revision that ever served. */
import type { Knex } from 'knex'
import type { FlowArchive } from '../flow/types.ts'

/** Revisions never change: `put` of a known one only notes that it came into force again. */
export function flowArchive(knex: Knex): FlowArchive {
  return {
    async put(revision, name, source) {
      await knex('flow_revision').insert({ revision, name, source }).onConflict('revision').merge({ created_at: knex.fn.now() })
    },
    async get(revision) {
      const row = await knex('flow_revision').where({ revision }).first<{ source: string } | undefined>('source')
      return row?.source
    },
  }
}
