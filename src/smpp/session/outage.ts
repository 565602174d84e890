/** The time that a bind is not up: since when, why, what was tried; one warning of it, and one line when it is over. */
import type { Log } from '../../base/index.ts'
import { remedyOf, type Trouble, type Why } from './trouble.ts'

export interface OutageDeps {
  bind: string
  /** What began it; absent: the bind was started. */
  loss?: Trouble
  now: () => number
  log: Log
}

export class Outage {
  readonly sinceMs: number
  /** Tries that failed. */
  tries = 0
  readonly #deps: OutageDeps
  #trouble: Trouble | undefined
  /** Each address of this round, and what came of it. */
  #round: { peer: string; trouble: Trouble }[] = []
  #isAlarm = false
  readonly #told = new Set<Why>()

  constructor(deps: OutageDeps) {
    this.#deps = deps
    this.#trouble = deps.loss
    this.sinceMs = deps.now()
  }

  get trouble(): Trouble | undefined {
    return this.#trouble
  }

  /** One address was tried in vain. */
  tried(peer: string, trouble: Trouble): void {
    this.#round.push({ peer, trouble })
    this.#trouble = trouble
    this.tries++
  }

  /** What was just tried will not pass by itself, or may not: a person has to act. */
  alarm(): void {
    this.#isAlarm = true
  }

  /** All addresses were. The first time is a warning; what a person has to act on is an error, once. */
  roundOver(): void {
    const round = this.#round.splice(0)
    const last = round.at(-1)
    if (!last) return
    const { bind, log } = this.#deps
    const { why, detail } = last.trouble
    const level = this.#told.has(why) ? 'debug' : this.#isAlarm ? 'error' : this.#told.size > 0 ? 'info' : 'warn'
    this.#told.add(why)
    this.#isAlarm = false
    const others = round.length > 1 ? { tried: round.map((one) => `${one.peer} ${one.trouble.why}`) } : {}
    log[level](
      { bind, peer: last.peer, why, detail, since: isoOf(this.sinceMs), remedy: remedyOf(why), ...others },
      'the bind is down',
    )
  }

  /** It is up at that address. */
  over(peer: string): void {
    const { bind, log, now } = this.#deps
    const trouble = this.#trouble
    if (!trouble) return
    const { sinceMs, tries } = this
    const fields = { bind, peer, since: isoOf(sinceMs), downMs: now() - sinceMs, tries, ...trouble }
    if (this.#told.size > 0) log.info(fields, 'the bind is up again')
    else log.warn({ ...fields, remedy: remedyOf(trouble.why) }, 'the bind was down, and is up again')
  }
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}
