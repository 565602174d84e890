/**
 * Tells applications what became of their SMS: events of `sms_event`, each signed, in order for each key, and tried
 * again until it is taken or too old. Any daemon tells any event.
 */
import { randomUUID } from 'node:crypto'
import { allow, CLOSED, record, type Breaker, type Resolve } from '../backend/index.ts'
import { monotonicClock, type Counters, type Log, type Sql } from '../base/index.ts'
import { repeated } from '../sms/outbox/index.ts'
import type { Chance, Clock } from '../ussd/index.ts'
import { CLAIM_EVENTS, DROP_EVENTS, WAKE_EVENTS, type EventRow } from './rows.ts'
import { hookSender, type HookSettings, type HookAnswer } from './sender.ts'

export interface HooksDeps {
  sql: Sql
  clock: Clock
  chance: Chance
  log: Log
  counters: Counters
  settings: Readonly<Record<string, HookSettings>>
  /** False: the clock of this daemon is wrong. */
  mayRun(): boolean
  /** Replaces the system's resolver in tests. */
  resolve?: Resolve
}

export interface Hooks {
  start(): void
  /** Resolves when no event is being told. */
  stop(): Promise<void>
}

/** How often to look for events. An application that waits for a delivery waits a second more. */
const LOOK_MS = 1_000
/** How long an event belongs to one daemon, beyond the time that its request may take. */
const LEASE_MS = 30_000
/** The pause after the first failure; it doubles up to the longest. */
const AGAIN_MS = 1_000
const AGAIN_MAX_MS = 600_000

export function createHooks(deps: HooksDeps): Hooks {
  const all = Object.entries(deps.settings).map(([name, settings]) => oneHook(name, settings, deps))
  return {
    start: () => all.forEach((one) => one.start()),
    stop: async () => void (await Promise.all(all.map((one) => one.stop()))),
  }
}

function oneHook(name: string, settings: HookSettings, deps: HooksDeps): Hooks {
  const { sql, clock } = deps
  const sender = hookSender(settings, deps)
  const health = hookHealth(name, deps)
  let isStopped = false

  /** Tells some events. True: there may be more. */
  async function tell(most: number): Promise<boolean> {
    const lease = randomUUID()
    const until = new Date(clock.now() + settings.timeoutMs + LEASE_MS)
    const found = await CLAIM_EVENTS(sql, { hook: name, now: new Date(clock.now()), lease, until, limit: most })
    const told = await Promise.all(
      found.map(async (row) => {
        const answer = await sender.tell(row.id, bodyOf(row))
        health.note(answer)
        return { row, answer }
      }),
    )
    const fates = told.map((one) => ({ ...one, is: fateOf(one, { settings, clock }) }))
    const ids = (...is: Fate[]) => fates.filter((one) => is.includes(one.is)).map(({ row }) => row.id)
    if (found.length) await DROP_EVENTS(sql, { ids: `{${ids('told', 'given-up')}}`, lease })
    const again = told.filter(({ row }) => ids('again').includes(row.id))
    const wakes = again.map(({ row }) => new Date(clock.now() + againMs(row.attempts, deps.chance)).toISOString())
    if (again.length) await WAKE_EVENTS(sql, { ids: `{${ids('again')}}`, wakes: `{${wakes}}`, lease })
    for (const { row, answer, is } of fates) tally(name, { row, answer, is }, deps)
    return found.length === most
  }

  async function look(): Promise<void> {
    if (!deps.mayRun()) return
    const most = health.most(settings.concurrent)
    if (most > 0 && (await tell(most)) && !isStopped) await look()
  }

  const looking = repeated(LOOK_MS, look, deps)
  return {
    start: looking.start,
    async stop() {
      isStopped = true
      await looking.stop()
      await sender.close()
    },
  }
}

type Fate = 'told' | 'again' | 'given-up'

/** Given up: it was tried, and is too old to be tried again. */
function fateOf(
  { row, answer }: { row: EventRow; answer: HookAnswer },
  { settings, clock }: { settings: HookSettings; clock: Clock },
): Fate {
  if (answer.is === 'taken') return 'told'
  return clock.now() - row.at.getTime() < settings.giveUpMs ? 'again' : 'given-up'
}

/** No number and no text: the owner knows what its key stands for. */
function bodyOf({ id, event, reason, at, owner, key, kind }: EventRow): Buffer {
  const said = { id, event, owner, key, class: kind, at: at.toISOString(), ...(reason === null ? {} : { reason }) }
  return Buffer.from(JSON.stringify(said))
}

function againMs(attempts: number, chance: Chance): number {
  return Math.min(AGAIN_MAX_MS, AGAIN_MS * 2 ** Math.min(attempts - 1, 20)) * (0.75 + chance() / 2)
}

function tally(
  hook: string,
  { row, answer, is }: { row: EventRow; answer: HookAnswer; is: Fate },
  deps: HooksDeps,
): void {
  deps.counters.count('hook_events_total', { hook, result: is })
  if (is !== 'given-up' || answer.is === 'taken') return
  const { id, event, owner, attempts } = row
  deps.log.error({ hook, id, event, owner, tries: attempts, why: answer.why }, 'an event for a web-hook was given up')
}

/** The circuit breaker of one hook: while it takes nothing, one event at a time is tried. */
function hookHealth(hook: string, { clock, log }: HooksDeps) {
  const now = monotonicClock(clock)
  let breaker: Breaker = CLOSED
  return {
    /** How many events may be told now. */
    most(concurrent: number): number {
      const asked = allow(breaker, now())
      breaker = asked.breaker
      if (!asked.goes) return 0
      return breaker.openUntilMs > 0 ? 1 : concurrent
    },
    note(answer: HookAnswer): void {
      const before = breaker
      breaker = record(breaker, answer.is === 'taken', now())
      if (before.openUntilMs === 0 && breaker.openUntilMs > 0 && answer.is !== 'taken')
        log.warn({ hook, why: answer.why }, 'a web-hook takes no events: they are tried again')
      if (before.openUntilMs > 0 && breaker.openUntilMs === 0) log.info({ hook }, 'a web-hook takes events again')
    },
  }
}
