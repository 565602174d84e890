/**
 * Who tells an alarm to the web-hook, and until when: a fleet tells what all daemons see once, a restart repeats and
 * forgets nothing, and what the web-hook has not taken waits in Postgres. While Postgres is what is down, Redis says
 * which daemon tells it, and it waits in memory; while both are, each tells it.
 */
import { randomUUID } from 'node:crypto'
import type { Counters, Log, Sql } from '../base/index.ts'
import { hookSender } from '../hooks/index.ts'
import type { Clock } from '../ussd/index.ts'
import { createAlarmHook, type AlarmHook, type AlarmHookDeps } from './alarm-hook.ts'
import {
  CLAIM_ALARM,
  DROP_ALARM,
  FORGET_ALARMS,
  HELD_ALARMS,
  HOLD_ALARM,
  LEAVE_ALARM,
  PUT_ALARM,
  TAKE_ALARM,
  WAKE_ALARM,
  type ToldAlarm,
} from './alarm-rows.ts'
import type { AlarmCondition, AlarmName, AlarmTold } from './alarms.ts'

export interface AlarmBookDeps extends AlarmHookDeps {
  sql: Sql
  clock: Clock
  log: Log
  counters: Counters
  /** True for the first that says so, of all daemons, until `ms` are over. Undefined: there is no such store. */
  first?: ((what: string, ms: number) => Promise<boolean>) | undefined
}

export interface AlarmBook {
  tell(told: AlarmTold): void
  /** What this daemon saw when it ended: still raised. Rejects while Postgres is unreachable. */
  held(): Promise<{ condition: AlarmCondition; since: string }[]>
  start(): void
  stop(): Promise<void>
}

/** What is so for all daemons of a fleet, if it is so for one. */
const OF_ALL: ReadonlySet<AlarmName> = new Set(['store-down'])
const LOOK_MS = 2_000
/** How long an alarm belongs to the daemon that tells it, beyond the time that its request may take. */
const LEASE_MS = 30_000
const AGAIN_MS = 1_000
const AGAIN_MAX_MS = 60_000
/** Daemons see that a store is down within three of their looks. */
const FIRST_MS = 60_000
const HOOK = 'alarms'

export function createAlarmBook(deps: AlarmBookDeps): AlarmBook {
  const { settings, sql, clock, name } = deps
  const direct = createAlarmHook(deps)
  const sender = hookSender({ ...settings, concurrent: 1 }, deps)
  const write = writing(deps, direct)
  let written = Promise.resolve()
  let sending = Promise.resolve()
  let cancel = (): void => undefined
  let isStopped = false

  async function send(): Promise<void> {
    for (;;) {
      const lease = randomUUID()
      const leaseMs = settings.timeoutMs + LEASE_MS
      const [row] = isStopped ? [] : await CLAIM_ALARM(sql, { lease, lease_ms: leaseMs })
      if (!row) return
      const id = `alarm-${row.id}`
      const answer = await sender.tell(id, Buffer.from(JSON.stringify({ id, ...row.body })))
      await settle(deps, { row, lease, isTaken: answer.is === 'taken', why: answer.is === 'taken' ? '' : answer.why })
    }
  }

  function again(ms: number): void {
    cancel = clock.after(ms, () => {
      // Rejects while Postgres is unreachable, which is an alarm of its own.
      sending = send()
        .catch(() => undefined)
        .then(() => (isStopped ? undefined : again(LOOK_MS)))
    })
  }

  return {
    tell(told) {
      written = written.then(() => write(told))
    },
    async held() {
      await FORGET_ALARMS(sql, {})
      const rows = await HELD_ALARMS(sql, { name })
      return rows.map(({ condition, since }) => ({
        condition: condition as AlarmCondition,
        since: since.toISOString(),
      }))
    },
    start: () => again(LOOK_MS),
    async stop() {
      isStopped = true
      cancel()
      await Promise.all([written, sending])
      await Promise.all([direct.stop(), sender.close()])
    },
  }
}

/** Writes what is to be told, or tells it directly. Never rejects. */
function writing({ sql, name, first }: AlarmBookDeps, direct: Pick<AlarmHook, 'tell'>) {
  /** Alarms that were raised while Postgres was away. */
  const unwritten = new Set<string>()

  async function isFirst(what: string): Promise<boolean> {
    // Two stores that are down: told by each is better than told by none.
    return first ? first(what, FIRST_MS).catch(() => true) : true
  }

  return async (told: AlarmTold): Promise<void> => {
    const { is, alarm, subject, since, at: _, ...more } = told
    const key = `${OF_ALL.has(alarm) ? '' : name} ${alarm} ${subject}`
    const row = { key, name, body: JSON.stringify({ event: 'alarm', instance: name, ...told }) }
    try {
      if (is === 'raised') {
        const condition = JSON.stringify({ alarm, subject, ...more })
        await HOLD_ALARM(sql, { ...row, condition, since: new Date(since) })
      } else if (unwritten.delete(key)) {
        if (!OF_ALL.has(alarm) || (await isFirst(`${key} over`))) await PUT_ALARM(sql, { body: row.body })
      } else if ((await DROP_ALARM(sql, row)).length === 0) await LEAVE_ALARM(sql, { key, name })
    } catch {
      if (is === 'raised') unwritten.add(key)
      if (!OF_ALL.has(alarm) || (await isFirst(`${key} ${is}`))) direct.tell(told)
    }
  }
}

interface Sent {
  row: ToldAlarm
  lease: string
  isTaken: boolean
  why: string
}

async function settle({ sql, settings, counters, log }: AlarmBookDeps, { row, lease, isTaken, why }: Sent) {
  const { id, age_ms: ageMs, attempts } = row
  const isOver = isTaken || ageMs >= settings.giveUpMs
  counters.count('hook_events_total', { hook: HOOK, result: isTaken ? 'told' : isOver ? 'given-up' : 'again' })
  if (!isTaken && attempts === 1) log.warn({ hook: HOOK, why }, 'the web-hook of alarms takes no alarm')
  if (isOver) return TAKE_ALARM(sql, { id, lease })
  const ms = Math.min(AGAIN_MAX_MS, AGAIN_MS * 2 ** Math.min(attempts - 1, 20))
  return WAKE_ALARM(sql, { id, lease, ms })
}
