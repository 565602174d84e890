/**
 * The caps of the lines that have one: of a line, or of all lines on one account. Daemons that share a store divide
 * them: each asks for its shares once a second, twice while a share is too small, for all lines at once, and not at all
 * while nothing is sent.
 */
import type { CapState } from '../../admin/index.ts'
import type { Log, Metrics } from '../../base/index.ts'
import { capAccount, type ConfiguredLine } from '../../config/index.ts'
import { LineCap, LineLabels, type LineShares, type ShareAsk, type ShareGrant } from '../../smpp/session/index.ts'
import type { Clock } from '../../ussd/index.ts'

export interface CapsDeps {
  clock: Clock
  log: Log
  metrics: Pick<Metrics, 'count'>
  /** Absent: no other daemon can share a line with this one, so a cap is this daemon's alone. */
  shares?: LineShares | undefined
}

/** How often a share is asked for: a share is in force for twice as long. */
const ASK_MS = 1_000
/** The same while more is to be sent than the share allows. */
const SHORT_MS = 500
/** Lines that are due soon are asked for with those that are due now. */
const TOGETHER_MS = 250

interface Capped {
  /** That of the account: of a line on its own, its name. */
  name: string
  cap: LineCap
  serial: number
  /** Monotonic milliseconds of the cap. */
  askedMs: number
  daemons: number
  isAway: boolean
  /** The smaller cap of another daemon, as it was told last. */
  smaller: number | undefined
}

export class LineCaps {
  readonly #deps: CapsDeps
  readonly #capped = new Map<string, Capped>()
  /** Accounts that have a cap by the settings in force. */
  #inForce: ReadonlySet<string> = new Set()
  #timer: (() => void) | undefined
  #isAsking = false
  #isAway = false
  #isStopped = false

  constructor(deps: CapsDeps) {
    this.#deps = deps
  }

  /**
   * The cap of a line; undefined: it has none. All lines on one account have one cap, and so has a line that replaces
   * another of its name.
   */
  of(line: Pick<ConfiguredLine, 'name' | 'submits'>): LineCap | undefined {
    const { submits } = line
    if (submits.perSecond === undefined) return undefined
    const name = capAccount(line)
    const known = this.#capped.get(name)
    if (known) return known.cap
    const { clock, metrics, shares } = this.#deps
    const labels = new LineLabels(name)
    const cap = new LineCap(settingsOf(submits)!, {
      clock,
      count: (counter, own, by) => metrics.count(counter, labels.of(own), by),
      ...(shares ? { wanted: () => void this.#look() } : {}),
    })
    const made = { name, cap, serial: 0, askedMs: -Infinity, daemons: 1, isAway: false, smaller: undefined }
    this.#capped.set(name, made)
    return cap
  }

  /** These settings are in force from now on. */
  follow(lines: readonly Pick<ConfiguredLine, 'name' | 'submits'>[]): void {
    const capped = lines.filter(({ submits }) => submits.perSecond !== undefined)
    for (const line of capped) this.#capped.get(capAccount(line))?.cap.change(settingsOf(line.submits)!)
    this.#inForce = new Set(capped.map(capAccount))
  }

  /** Of the lines that have a cap, by their accounts. */
  states(): Map<string, CapState> {
    const shown = [...this.#capped.values()].filter(({ name }) => this.#inForce.has(name))
    return new Map(
      shown.map(({ name, cap, daemons, isAway }) => [
        name,
        { perSecond: cap.perSecond(), share: cap.share(), used: cap.used(), waiting: cap.waiting(), daemons, isAway },
      ]),
    )
  }

  /** Gives the shares back. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.()
    const left = this.#deps.shares ? [...this.#capped.values()].filter(({ cap }) => cap.isActive()) : []
    for (const { cap } of this.#capped.values()) cap.stop()
    if (left.length > 0) await this.#deps.shares!.ask(left.map((one) => askOf(one, true)))
  }

  /** Asks for the lines that are due, and looks again when the next is. */
  async #look(): Promise<void> {
    if (this.#isAsking || this.#isStopped) return
    const due = [...this.#capped.values()].filter((one) => untilDueMs(one) <= TOGETHER_MS)
    if (due.some((one) => untilDueMs(one) <= 0)) {
      this.#isAsking = true
      const asks = due.map((one) => askOf(one, false))
      const answers = await this.#deps.shares!.ask(asks)
      if (this.#isStopped) return
      due.forEach((one, i) => this.#take(one, asks[i]!, answers[i] ?? null))
      this.#isAsking = false
      this.#tellAway()
    }
    this.#timer?.()
    this.#timer = undefined
    const nextMs = Math.min(...[...this.#capped.values()].map(untilDueMs))
    if (nextMs < Infinity) this.#timer = this.#deps.clock.after(Math.max(1, Math.ceil(nextMs)), () => void this.#look())
  }

  #take(one: Capped, ask: ShareAsk, grant: ShareGrant | null): void {
    const { name, cap, askedMs } = one
    one.isAway = grant === null
    this.#deps.metrics.count('smpp_cap_asks', { line: name, result: grant ? 'given' : 'away' })
    if (!grant) return cap.keep()
    if (ask.wants === null) return cap.rest()
    one.daemons = grant.daemons
    cap.granted(grant, askedMs)
    const smaller = grant.cap < ask.cap ? grant.cap : undefined
    if (smaller !== one.smaller && smaller !== undefined) {
      const remedy = 'set the same submits.perSecond in all daemons that serve this line'
      this.#deps.log.warn({ line: name, cap: ask.cap, smaller, remedy }, 'daemons disagree about the cap of a line')
    }
    one.smaller = smaller
  }

  /** Once for an outage, however many lines and asks. */
  #tellAway(): void {
    const { log } = this.#deps
    const away = [...this.#capped.values()].filter(({ isAway }) => isAway)
    if (away.length > 0 === this.#isAway) return
    this.#isAway = away.length > 0
    if (!this.#isAway) return log.info({}, 'the caps of lines are shared again')
    const shares = Object.fromEntries(away.map(({ name, cap }) => [name, cap.share()]))
    log.warn({ shares }, 'the store is unreachable: lines go on with their last share of the cap')
  }
}

function settingsOf({ perSecond, ussdShare }: ConfiguredLine['submits']) {
  return perSecond === undefined ? undefined : { perSecond, ussdShare }
}

/** Infinity: it has no share and needs none. */
function untilDueMs({ cap, askedMs }: Capped): number {
  if (!cap.isActive()) return Infinity
  if (cap.isWanting()) return 0
  return askedMs + (cap.isShort() ? SHORT_MS : ASK_MS) - cap.now()
}

function askOf(one: Capped, isOver: boolean): ShareAsk {
  one.serial++
  one.askedMs = one.cap.now()
  return { line: one.name, serial: one.serial, ...one.cap.ask(isOver) }
}
