/** The funnel of a flow for the admin server: how many reach each screen, where they leave, and why. */
import type { Sql } from '../base/index.ts'
import { noRecordsHere, type Settings } from '../config/index.ts'
import { type Funnel, funnelOf } from '../records/index.ts'
import { rangeBack, type MomentsAsked } from './moments.ts'

/** Without a time: what happened within a day. */
const USUAL_MS = 86_400_000

export interface FunnelTold extends Omit<Funnel, 'sinceMs' | 'untilMs'> {
  since: string
  until: string
  zone: string
  /** What new dials get now. Null: no daemon serves the flow. */
  active: string | null
  canary: string | null
}

export interface FunnelsDeps {
  sql: Sql
  clock: { now(): number }
  settings: Pick<Settings, 'records'> & { reminders: { zone: string } }
}

export interface FunnelQuestion extends MomentsAsked {
  revision?: string | undefined
}

/** What a flow serves now. Undefined: there is no such flow here. */
type StandOf = (name: string) => { revision: string; canary: { revision: string } | null } | undefined

export function flowFunnels({ sql, clock, settings }: FunnelsDeps, standOf: StandOf) {
  const { zone } = settings.reminders
  return {
    /** Null: there is no such flow, and nothing was counted of one. Rejects if Postgres is unreachable. */
    async funnel(flow: string, asked: FunnelQuestion): Promise<FunnelTold | { refused: string } | null> {
      const missing = noRecordsHere(settings)
      if (missing !== undefined) return { refused: missing }
      const nowMs = clock.now()
      const range = rangeBack(asked, { zone, nowMs, usualMs: USUAL_MS })
      if ('refused' in range) return range
      const { sinceMs, untilMs, ...found } = await funnelOf(sql, { flow, revision: asked.revision, ...range, nowMs })
      const stand = standOf(flow)
      if (!stand && found.revisions.length === 0) return null
      return {
        ...found,
        since: new Date(sinceMs).toISOString(),
        until: new Date(untilMs).toISOString(),
        zone,
        active: stand?.revision ?? null,
        canary: stand?.canary?.revision ?? null,
      }
    },
  }
}
