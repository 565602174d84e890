/** What operators decided about flows, in Postgres: shared by all daemons, read again and again. */
import type { Knex } from 'knex'
import {
  undecided,
  isDecision,
  type Decided,
  type Decision,
  type Recall,
  type Release,
} from '../../flow/release/index.ts'

interface ReleaseRow {
  name: string
  active: string | null
  instead_of: string | null
  canary: string | null
  canary_share: number
  canary_key: string
  changed_by: string
  note: string
  changed_at: Date
}

interface RevisionRow {
  revision: string
  published_by: string
  note: string
  created_at: Date
  served_at: Date | null
}

/** Newer ones that this version cannot read are passed over: of so many one can be read, or none. */
const CANDIDATES_MAX = 20

export function flowReleases(knex: Knex): Decided {
  return {
    async read() {
      const [releases, recalls] = await Promise.all([
        knex<ReleaseRow>('flow_release').select('*'),
        knex('flow_recall').select<{ revision: string; name: string; texts: string }[]>('revision', 'name', 'texts'),
      ])
      return {
        releases: new Map(releases.map((row) => [row.name, releaseOf(row)])),
        recalls: new Map(
          recalls.map((row): [string, Recall] => [
            row.revision,
            { ...row, texts: JSON.parse(row.texts) as Recall['texts'] },
          ]),
        ),
      }
    },
    async unrecalled(name) {
      const rows: { revision: string }[] = await knex('flow_revision as r')
        .where('r.name', name)
        .whereNotExists(knex('flow_recall as c').whereRaw('c.revision = r.revision').select(knex.raw('1')))
        .orderByRaw('r.served_at DESC NULLS LAST, r.created_at DESC, r.revision')
        .limit(CANDIDATES_MAX)
        .select('r.revision')
      return rows.map(({ revision }) => revision)
    },
    async adopt(name, revision) {
      const row = rowOf({ ...undecided(name), active: revision, by: 'file' })
      await knex('flow_release').insert(row).onConflict('name').ignore()
    },
    change: (name, decide) =>
      knex.transaction(async (trx) => {
        await trx('flow_release')
          .insert(rowOf(undecided(name)))
          .onConflict('name')
          .ignore()
        const row = await trx<ReleaseRow>('flow_release').where('name', name).forUpdate().first('*')
        const recalled: { revision: string }[] = await trx('flow_recall').where({ name }).select('revision')
        const decided = decide(releaseOf(row as ReleaseRow), new Set(recalled.map(({ revision }) => revision)))
        if (isDecision(decided)) await write(trx, name, decided)
        return decided
      }),
    async revisions(name, limit) {
      const rows = await knex<RevisionRow & { name: string }>('flow_revision')
        .where('name', name)
        .limit(limit)
        .orderByRaw('coalesce(served_at, created_at) DESC, revision')
        .select('revision', 'published_by', 'note', 'created_at', 'served_at')
      return rows.map((row) => ({
        revision: row.revision,
        by: row.published_by,
        note: row.note,
        createdMs: row.created_at.getTime(),
        servedMs: row.served_at?.getTime() ?? null,
      }))
    },
  }
}

async function write(trx: Knex, name: string, { release, recalls, clears, serves }: Decision): Promise<void> {
  await trx('flow_release')
    .where({ name })
    .update({ ...rowOf(release), changed_at: trx.fn.now() })
  if (clears !== undefined) await trx('flow_recall').where({ revision: clears }).delete()
  if (serves !== undefined) await trx('flow_revision').where({ revision: serves }).update({ served_at: trx.fn.now() })
  if (!recalls) return
  const row = { revision: recalls.revision, name, texts: JSON.stringify(recalls.texts), recalled_by: release.by }
  await trx('flow_recall').insert(row).onConflict('revision').merge()
}

function releaseOf(row: ReleaseRow): Release {
  const canary = row.canary === null ? null : { revision: row.canary, share: row.canary_share, key: row.canary_key }
  return {
    name: row.name,
    active: row.active,
    insteadOf: row.instead_of,
    canary,
    by: row.changed_by,
    note: row.note,
    changedMs: row.changed_at.getTime(),
  }
}

function rowOf({ name, active, insteadOf, canary, by, note }: Release): Omit<ReleaseRow, 'changed_at'> {
  return {
    name,
    active,
    instead_of: insteadOf,
    canary: canary?.revision ?? null,
    canary_share: canary?.share ?? 0,
    canary_key: canary?.key ?? '',
    changed_by: by,
    note,
  }
}
