/**
 * The web-hook of alarms, for what Postgres cannot keep because it is what is down: they wait in memory, in order. Each
 * is signed as those of SMS are (docs/SMS.md), and is tried again until it is taken or too old.
 */
import { monotonicClock, type Counters, type Log } from '../base/index.ts'
import { hookSender, type HookSettings } from '../hooks/index.ts'
import type { Resolve } from '../backend/index.ts'
import type { Clock } from '../ussd/index.ts'
import type { AlarmTold } from './alarms.ts'

export interface AlarmHookDeps {
  settings: Omit<HookSettings, 'concurrent'>
  clock: Clock
  log: Log
  counters: Counters
  /** The name of this daemon, and its run: the ids of alarms are unique. */
  name: string
  instance: string
  /** Replaces the system's resolver in tests. */
  resolve?: Resolve
}

export interface AlarmHook {
  tell(told: AlarmTold): void
  /** Does not wait: what was not taken by now is lost with the process, and is in the log. */
  stop(): Promise<void>
}

/** More than all binds of a large daemon going down and up again. */
const WAITING_MAX = 500
const AGAIN_MS = 1_000
const AGAIN_MAX_MS = 60_000
const HOOK = 'alarms'

interface Waiting {
  id: string
  body: Buffer
  sinceMs: number
  tries: number
}

export function createAlarmHook(deps: AlarmHookDeps): AlarmHook {
  const { settings, clock, log, counters, name, instance } = deps
  const sender = hookSender({ ...settings, concurrent: 1 }, deps)
  const now = monotonicClock(clock)
  const waiting: Waiting[] = []
  let count = 0
  let cancel = (): void => undefined
  let isBusy = false
  let isStopped = false

  async function next(): Promise<void> {
    const [one] = waiting
    if (!one || isStopped) return void (isBusy = false)
    isBusy = true
    one.tries++
    const answer = await sender.tell(one.id, one.body)
    const isTaken = answer.is === 'taken'
    const isOver = isTaken || now() - one.sinceMs >= settings.giveUpMs
    counters.count('hook_events_total', { hook: HOOK, result: isTaken ? 'told' : isOver ? 'given-up' : 'again' })
    if (!isTaken && one.tries === 1) log.warn({ hook: HOOK, why: answer.why }, 'the web-hook of alarms takes no alarm')
    if (isOver && waiting[0] === one) waiting.shift()
    if (isOver) return next()
    cancel = clock.after(Math.min(AGAIN_MAX_MS, AGAIN_MS * 2 ** Math.min(one.tries - 1, 20)), () => void next())
  }

  return {
    tell(told) {
      const id = `${instance}-${++count}`
      const body = Buffer.from(JSON.stringify({ id, event: 'alarm', instance: name, ...told }))
      waiting.push({ id, body, sinceMs: now(), tries: 0 })
      if (waiting.length > WAITING_MAX) {
        waiting.shift()
        counters.count('limits_total', { limit: 'alarms_waiting' })
      }
      if (!isBusy) void next()
    },
    async stop() {
      isStopped = true
      cancel()
      await sender.close()
    },
  }
}
