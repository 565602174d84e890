/**
 * One outage of a bind: since when, why, and which addresses were tried. It logs one warning, and one line at the end.
 */
import { isoOf } from '../../base/index.ts'
import type { Log } from '../../base/index.ts'
import type { OutageTold } from '../types.ts'
import { remedyOf, type Trouble, type Why } from './trouble.ts'

export interface OutageDeps {
  bind: string
  /** What began it. Absent: the bind has just started. */
  loss?: Trouble
  now: () => number
  log: Log
  /** Gets what is worth a row: each reason once, and the end. */
  tell(told: OutageTold): void
}

/** How often an outage that lasts is told again, with the count of its tries. */
const STILL_MS = 600_000

export class Outage {
  readonly sinceMs: number
  /** Tries that failed. */
  tries = 0
  readonly #deps: OutageDeps
  #trouble: Trouble | undefined
  /** Each address of this round, with its result. */
  #round: { peer: string; trouble: Trouble }[] = []
  #isAlarm = false
  #toldMs = 0
  readonly #told = new Set<Why>()

  constructor(deps: OutageDeps) {
    this.#deps = deps
    this.#trouble = deps.loss
    this.sinceMs = deps.now()
  }

  get trouble(): Trouble | undefined {
    return this.#trouble
  }

  /** One address was tried and failed. */
  tried(peer: string, trouble: Trouble): void {
    this.#round.push({ peer, trouble })
    this.#trouble = trouble
    this.tries++
  }

  /** The fault probably needs a person: it may not go away by itself. */
  alarm(): void {
    this.#isAlarm = true
  }

  /** All addresses were tried. The first round is a warning. A fault that needs a person is an error, once. */
  roundOver(): void {
    const round = this.#round.splice(0)
    const last = round.at(-1)
    if (!last) return
    const { bind, log } = this.#deps
    const { why, detail } = last.trouble
    if (this.#told.has(why)) this.#stillDown(last.peer, last.trouble)
    else this.#tell('down', last.peer)
    const level = this.#told.has(why) ? 'debug' : this.#isAlarm ? 'error' : this.#told.size > 0 ? 'info' : 'warn'
    this.#told.add(why)
    this.#toldMs ||= this.#deps.now()
    this.#isAlarm = false
    const others = round.length > 1 ? { tried: round.map((one) => `${one.peer} ${one.trouble.why}`) } : {}
    log[level](
      { bind, peer: last.peer, why, detail, since: isoOf(this.sinceMs), remedy: remedyOf(why), ...others },
      'the bind is down',
    )
  }

  /** The bind is up, at this address. */
  over(peer: string): void {
    const { bind, log, now } = this.#deps
    const trouble = this.#trouble
    this.#tell('up', peer)
    if (!trouble) return
    const { sinceMs, tries } = this
    const fields = { bind, peer, since: isoOf(sinceMs), downMs: now() - sinceMs, tries, ...trouble }
    if (this.#told.size > 0) log.info(fields, 'the bind is up again')
    else log.warn({ ...fields, remedy: remedyOf(trouble.why) }, 'the bind was down, and is up again')
  }

  #tell(is: OutageTold['is'], peer: string): void {
    const { tries, sinceMs } = this
    const { why, detail } = this.#trouble ?? { why: undefined, detail: undefined }
    this.#deps.tell({ bind: this.#deps.bind, is, peer, why, detail, sinceMs, tries })
  }

  #stillDown(peer: string, { why, detail }: Trouble): void {
    const { bind, log, now } = this.#deps
    if (now() - this.#toldMs < STILL_MS) return
    this.#toldMs = now()
    const { sinceMs, tries } = this
    log.info(
      { bind, peer, why, detail, since: isoOf(sinceMs), downMs: now() - sinceMs, tries },
      'the bind is still down',
    )
  }
}
