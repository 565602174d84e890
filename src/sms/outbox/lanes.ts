/**
 * How many SMS each line has open, and when it gets more. Rows are claimed only as lines have slots for them. So a
 * daemon that dies leaves no more in doubt than the windows of its binds hold, and its memory does not grow with what
 * is due. Lines do not wait for each other.
 */
import type { ClaimedRow } from './rows.ts'

/** Where an SMS leaves. */
export interface SmsRoute {
  /** The line that takes it. */
  line: string
  /** How many SMS that line may have open. */
  room: number
}

/** How many rows to claim of a line: by its name, and of all others together. */
export interface Wants {
  named: Record<string, number>
  other: number
}

export interface Claimed {
  rows: readonly ClaimedRow[]
  /** It was looked at all that is due. */
  isWhole: boolean
}

export interface LanesDeps {
  /** Null: such an SMS cannot leave now. `''` is an SMS for any line. */
  route(line: string): SmsRoute | null
  /** The lines that have SMS; for all others `''` stands. */
  lines(): readonly string[]
  /** Lines that must not get any now. */
  paused(): readonly string[]
  claimMax: number
  /** Until room has gathered for the next. */
  pause(): Promise<void>
  /** Takes as many due rows. Those that are `submitting` are to be sent now. */
  claim(wants: Wants): Promise<Claimed>
  /** Sends one on this line, and stores what became of it. False: it was not written. */
  send(row: ClaimedRow, line: string): Promise<boolean>
  failed(error: unknown): void
}

/** A line gets more when this share of its room is free: one statement takes many. */
const FREE_SHARE = 0.25

/** The rows that name one line, or for `''` all others. */
interface Lane {
  line: string
  /** There may be more of it. */
  hasMore: boolean
  /** Something of it was sent, or put aside, since the last claim. */
  isMoving: boolean
  /** The line that takes it. */
  taker: string
}

export class Lanes {
  /** How many SMS were written, ever. */
  sent = 0
  readonly #deps: LanesDeps
  readonly #lanes = new Map<string, Lane>()
  /** How many rows are being sent or settled; by the line that takes them. */
  readonly #open = new Map<string, number>()
  #openAll = 0
  /** Which of the lanes that share a line gets what cannot be divided. */
  #turn = 0
  #isFilling = false
  #isStopped = false
  #idle: (() => void)[] = []
  #error: { is: unknown } | undefined

  constructor(deps: LanesDeps) {
    this.#deps = deps
  }

  /** Something is due, of whichever line. */
  fill(): void {
    for (const line of [...this.#deps.lines(), '']) Object.assign(this.#lane(line), { hasMore: true, isMoving: true })
    void this.#fill()
  }

  start(): void {
    this.#isStopped = false
  }

  /** Nothing is claimed any more. */
  stop(): void {
    this.#isStopped = true
  }

  /** Resolves when all rows are settled. Rejects if that failed. */
  async idle(): Promise<void> {
    while (this.#isFilling || this.#openAll > 0) await new Promise<void>((done) => this.#idle.push(done))
    const error = this.#error
    this.#error = undefined
    if (error) throw error.is
  }

  async #fill(): Promise<void> {
    if (this.#isFilling) return
    this.#isFilling = true
    // All that one turn of the event loop settles makes room together.
    await undefined
    try {
      for (let wants = this.#wants(); wants; wants = this.#wants()) {
        for (const lane of this.#lanes.values()) if (wantsOf(wants, lane.line) > 0) lane.isMoving = false
        this.#take(await this.#deps.claim(wants), wants)
        await this.#deps.pause()
      }
    } catch (error) {
      for (const lane of this.#lanes.values()) lane.hasMore = false
      this.#fail(error)
    }
    this.#isFilling = false
    this.#tellIdle()
  }

  /** Null: nothing, of no line. */
  #wants(): Wants | null {
    if (this.#isStopped) return null
    const named = [...this.#deps.lines(), ...this.#deps.paused()]
    const wants: Wants = { named: Object.fromEntries(named.map((line) => [line, 0])), other: 0 }
    this.#turn++
    for (const [{ line, room }, lanes] of this.#routes(wants)) {
      const free = room - (this.#open.get(line) ?? 0)
      if (free < Math.ceil(room * FREE_SHARE)) continue
      for (const [n, lane] of lanes.entries()) {
        const nth = (n + this.#turn) % lanes.length
        const share = Math.floor((Math.min(free, this.#deps.claimMax) + nth) / lanes.length)
        lane.taker = line
        if (lane.line === '') wants.other = share
        else wants.named[lane.line] = share
      }
    }
    return wants.other > 0 || Object.values(wants.named).some((most) => most > 0) ? wants : null
  }

  /** The lanes that may have more, by the line that takes them: lanes may share one. */
  #routes({ named }: Wants): Iterable<[SmsRoute, Lane[]]> {
    const routes = new Map<string, [SmsRoute, Lane[]]>()
    const paused = this.#deps.paused()
    for (const lane of this.#lanes.values()) {
      const mayGo = lane.line === '' || (Object.hasOwn(named, lane.line) && !paused.includes(lane.line))
      const route = mayGo && lane.hasMore && lane.isMoving ? this.#deps.route(lane.line) : null
      if (!route) continue
      const shared = routes.get(route.line) ?? [route, []]
      shared[1].push(lane)
      routes.set(route.line, shared)
    }
    return routes.values()
  }

  #take({ rows, isWhole }: Claimed, wants: Wants): void {
    const asked = [...this.#lanes.values()].filter(({ line }) => wantsOf(wants, line) > 0)
    const found = new Map<Lane, number>()
    for (const lane of asked) lane.hasMore = !isWhole
    for (const row of rows) {
      const lane = this.#lane(Object.hasOwn(wants.named, row.owed_line) ? row.owed_line : '')
      found.set(lane, (found.get(lane) ?? 0) + 1)
      lane.hasMore ||= row.is_again || row.has_more || found.get(lane)! >= wantsOf(wants, lane.line)
      if (row.state === 'submitting') void this.#send(row, lane)
      else lane.isMoving = true
    }
  }

  async #send(row: ClaimedRow, lane: Lane): Promise<void> {
    const line = lane.taker
    this.#open.set(line, (this.#open.get(line) ?? 0) + 1)
    this.#openAll++
    try {
      if (await this.#deps.send(row, line)) {
        this.sent++
        lane.isMoving = true
      }
    } catch (error) {
      this.#fail(error)
    }
    this.#open.set(line, this.#open.get(line)! - 1)
    this.#openAll--
    void this.#fill()
    this.#tellIdle()
  }

  #lane(line: string): Lane {
    const lane = this.#lanes.get(line) ?? { line, hasMore: false, isMoving: false, taker: line }
    this.#lanes.set(line, lane)
    return lane
  }

  #fail(error: unknown): void {
    this.#error ??= { is: error }
    this.#deps.failed(error)
  }

  #tellIdle(): void {
    if (this.#isFilling || this.#openAll > 0) return
    for (const done of this.#idle.splice(0)) done()
  }
}

function wantsOf(wants: Wants, line: string): number {
  return line === '' ? wants.other : (wants.named[line] ?? 0)
}
