/** The flow archive in Postgres: the source of every revision that ever served, or was stored for a trial. */
import type { Knex } from 'knex'
import type { FlowArchive } from '../../flow/engine/index.ts'

/** Revisions never change: `put` of a known one only records that it came into force again. */
export function flowArchive(knex: Knex): FlowArchive {
  return {
    async put(revision, name, source, { serves = true, by = 'file', note = '' } = {}) {
      const now = knex.fn.now()
      const row = { revision, name, source, published_by: by, note, ...(serves ? { served_at: now } : {}) }
      const again = { created_at: now, ...(serves ? { served_at: now } : {}) }
      await knex('flow_revision').insert(row).onConflict('revision').merge(again)
    },
    async get(revision) {
      const row = await knex('flow_revision').where({ revision }).first<{ source: string } | undefined>('source')
      return row?.source
    },
  }
}
