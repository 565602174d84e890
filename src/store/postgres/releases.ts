/** The decisions of operators about flows, in Postgres: shared by all daemons, and read again and again. */
import type { Knex } from 'knex'
import { statement, type Sql } from '../../base/index.ts'
import {
  undecided,
  isDecision,
  type Decided,
  type Decision,
  type DecisionTold,
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

interface RecallRow {
  revision: string
  name: string
  texts: string
}

/** A row of either table. The columns of the other table are null. */
type DecidedRow = { [Column in keyof (ReleaseRow & RecallRow)]: (ReleaseRow & RecallRow)[Column] | null }

const RELEASE_COLUMNS = 'active, instead_of, canary, canary_share, canary_key, changed_by, note, changed_at'

/** Each daemon asks this every few seconds. */
const DECIDED = statement<DecidedRow>(
  'flow-decided',
  `
  SELECT name, ${RELEASE_COLUMNS}, NULL AS revision, NULL AS texts FROM flow_release
  UNION ALL
  SELECT name, ${RELEASE_COLUMNS.replaceAll(/\w+/g, 'NULL')}, revision, texts FROM flow_recall`,
)

interface RevisionRow {
  revision: string
  published_by: string
  note: string
  created_at: Date
  served_at: Date | null
}

/** Newer revisions that this version cannot read are skipped. Among so many, either one is readable or none. */
const CANDIDATES_MAX = 20

export function flowReleases({ knex, sql }: { knex: Knex; sql: Sql }): Decided {
  return {
    async read() {
      const rows = await DECIDED(sql, {})
      const isRecall = (row: DecidedRow): row is DecidedRow & RecallRow => row.revision !== null
      const releases = rows.filter((row) => !isRecall(row)) as ReleaseRow[]
      return {
        releases: new Map(releases.map((row) => [row.name, releaseOf(row)])),
        recalls: new Map(rows.filter(isRecall).map((row) => [row.revision, recallOf(row)])),
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
      await knex.transaction(async (trx) => {
        const made: object[] = await trx('flow_release').insert(row).onConflict('name').ignore().returning('name')
        if (made.length > 0) await trx('flow_event').insert({ flow: name, did: 'adopt', revision, by: 'file' })
      })
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

async function write(trx: Knex, name: string, decision: Decision): Promise<void> {
  const { release, recalls, clears, serves } = decision
  if (decision.told) await tell(trx, decision.told, release)
  await trx('flow_release')
    .where({ name })
    .update({ ...rowOf(release), changed_at: trx.fn.now() })
  if (clears !== undefined) await trx('flow_recall').where({ revision: clears }).delete()
  if (serves !== undefined) await trx('flow_revision').where({ revision: serves }).update({ served_at: trx.fn.now() })
  if (!recalls) return
  const row = { revision: recalls.revision, name, texts: JSON.stringify(recalls.texts), recalled_by: release.by }
  await trx('flow_recall').insert(row).onConflict('revision').merge()
}

/** The row of the history. Without it the triggers of migration 021 write one, as they do for an earlier build. */
async function tell(trx: Knex, { did, ...told }: DecisionTold, { name, canary, by, note }: Release): Promise<void> {
  await trx.raw(`SELECT set_config('ussd_connector.flow_event', 'written', true)`)
  const share = did === 'canary' ? (canary?.share ?? 0) : null
  await trx('flow_event').insert({ flow: name, did, ...told, share, by, reason: note })
}

function recallOf({ revision, name, texts }: RecallRow): Recall {
  return { revision, name, texts: JSON.parse(texts) as Recall['texts'] }
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
