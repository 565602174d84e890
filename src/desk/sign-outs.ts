/**
 * What all daemons of a fleet share about who is signed in: the key of the cookies, and which sessions were ended by a
 * sign-out. Both are in Postgres: a cookie of one daemon is good in the others, and its end is known there within
 * seconds.
 */
import { randomBytes } from 'node:crypto'
import { statement, type Log, type Sql } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'

export interface SignOuts {
  isOut(session: string): boolean
  /** `untilMs`: when the cookie would have been over anyway. */
  end(session: string, untilMs: number): Promise<void>
  stop(): void
}

const KEY_OCTETS = 32
/** As long as a token that was taken out of its file may still work. */
const LOOK_MS = 5_000
/** Sign-outs of a day, of a large operator. */
const KNOWN_MAX = 10_000

const DESK_KEY = statement<{ key: string }>(
  'desk-key',
  `
  INSERT INTO desk_key (name, key, made_at) VALUES ('cookie', CAST(:fresh AS text), now())
  ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING key`,
)

const SIGN_OUT = statement<{ session: string }>(
  'desk-sign-out',
  `
  INSERT INTO desk_sign_out (session, until) VALUES (CAST(:session AS text), CAST(:until AS timestamptz))
  ON CONFLICT (session) DO NOTHING RETURNING session`,
)

const SIGN_OUTS = statement<{ session: string }>(
  'desk-sign-outs',
  'SELECT session FROM desk_sign_out WHERE until > now() ORDER BY until DESC LIMIT CAST(:most AS int)',
)

const FORGET_SIGN_OUTS = statement<{ session: string }>(
  'desk-sign-outs-forget',
  'DELETE FROM desk_sign_out WHERE until <= now() RETURNING session',
)

/** The same for all daemons on this database; the first one makes it. */
export async function deskKey(sql: Sql): Promise<string> {
  const [row] = await DESK_KEY(sql, { fresh: randomBytes(KEY_OCTETS).toString('base64url') })
  return row!.key
}

export function createSignOuts({ sql, clock, log }: { sql: Sql; clock: Clock; log: Log }): SignOuts {
  const out = new Set<string>()
  let cancel = (): void => undefined
  let isStopped = false

  async function look(): Promise<void> {
    try {
      for (const { session } of await SIGN_OUTS(sql, { most: KNOWN_MAX })) out.add(session)
      if (out.size > KNOWN_MAX) out.clear()
      await FORGET_SIGN_OUTS(sql, {})
    } catch (error) {
      log.debug({ err: error }, 'the sign-outs of other daemons are not known: Postgres is unreachable')
    }
    if (!isStopped) cancel = clock.after(LOOK_MS, () => void look())
  }

  cancel = clock.after(LOOK_MS, () => void look())
  return {
    isOut: (session) => out.has(session),
    async end(session, untilMs) {
      out.add(session)
      await SIGN_OUT(sql, { session, until: new Date(untilMs).toISOString() }).catch((error: unknown) =>
        log.warn({ err: error }, 'a sign-out is known to this daemon only: Postgres is unreachable'),
      )
    },
    stop() {
      isStopped = true
      cancel()
    },
  }
}
