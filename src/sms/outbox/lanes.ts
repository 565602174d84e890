/**
 * Claimed rows on their way to the lines: how many are claimed, and which are handed out next. A row is marked as
 * `submitting` only when its line has a slot for it, so a daemon that dies leaves no more of them in doubt than the
 * windows of its binds hold. Lines do not wait for each other. Of one line the most urgent are handed out first, and
 * are claimed also while others wait.
 */
import type { ClaimedRow } from './rows.ts'
import { URGENCIES, urgencyOf } from './when.ts'

/** A claimed row, and its claim. */
export interface HeldRow {
  row: ClaimedRow
  lease: string
}

/** The rows as the statements take them. Null: there are none. */
export function heldIn(rows: readonly HeldRow[]): { ids: string; leases: string } | null {
  if (!rows.length) return null
  return { ids: `{${rows.map(({ row }) => row.id)}}`, leases: `{${rows.map(({ lease }) => lease)}}` }
}

/** Where an SMS leaves. */
export interface SmsRoute {
  /** The line that takes it. */
  line: string
  /** How many SMS that line may have open. */
  room: number
}

export interface LanesDeps {
  /** Null: such an SMS cannot leave now. `''` is an SMS for any line. */
  route(line: string): SmsRoute | null
  /** The lines that have SMS; for all others `''` stands. */
  lines(): readonly string[]
  claimMax: number
  /** Until room has gathered for the next. */
  pause(): Promise<void>
  /** Writes down that these are being sent. Answers which of them are, and how often they were tried by now. */
  mark(rows: readonly HeldRow[]): Promise<ReadonlyMap<string, number>>
  /** Sends one, and stores what became of it. False: it was not written. */
  send(held: HeldRow, attempts: number): Promise<boolean>
  release(rows: readonly HeldRow[]): Promise<void>
  /** A line is about to have nothing left, and there is more. */
  wanting(): void
  failed(error: unknown): void
}

/**
 * How many rows to claim of a line: by its name, and of all others together. For each urgency: how many of it and of
 * what is more urgent.
 */
export interface Wants {
  named: Record<string, readonly number[]>
  other: readonly number[]
}

/** So many times the room of a line is claimed at once: some tenths of a second of a fast one. */
const CLAIM_ROOMS = 8
/** How many rows one statement marks. */
const MARK_MAX = 200

const NONE: readonly number[] = Array.from({ length: URGENCIES }, () => 0)

interface Lane {
  line: string
  /** By urgency. */
  waiting: HeldRow[][]
  /** By urgency: the last claim got all that it asked for. */
  hasMore: boolean[]
  /** Something of the last claim was sent. */
  isMoving: boolean
}

export class Lanes {
  /** How many SMS were written, ever. */
  sent = 0
  readonly #deps: LanesDeps
  readonly #lanes = new Map<string, Lane>()
  /** How many rows are being marked, sent or settled; by the line that takes them. */
  readonly #open = new Map<string, number>()
  #openAll = 0
  #isMarking = false
  #releasing: Promise<void> = Promise.resolve()
  #idle: (() => void)[] = []
  #error: { is: unknown } | undefined

  constructor(deps: LanesDeps) {
    this.#deps = deps
  }

  /** `paused`: lines that must not get any now. */
  wants(paused: readonly string[]): Wants {
    const known = this.#deps.lines()
    const named: Record<string, readonly number[]> = {}
    for (const line of known) {
      const lane = this.#lanes.get(line)
      named[line] = this.#want(line, lane ? [lane] : [])
    }
    const others = [...this.#lanes.values()].filter(({ line }) => !known.includes(line))
    const other = this.#want('', others)
    for (const line of paused) named[line] = NONE
    return { named, other }
  }

  /** Takes the rows of one claim. `passed`: those that were put off instead. */
  take(rows: readonly ClaimedRow[], lease: string, passed: ReadonlySet<string>): void {
    const groups = new Map<string, number>()
    for (const row of rows) {
      const { owed_line: line, kind, share } = row
      const lane = this.#lane(line)
      if (!groups.has(line)) lane.isMoving = false
      const [ofLine, ofKind] = [line, JSON.stringify([line, kind])]
      for (const group of [ofLine, ofKind]) groups.set(group, (groups.get(group) ?? 0) + 1)
      const urgency = urgencyOf(kind)
      lane.hasMore[urgency] ||= groups.get(ofKind)! >= share
      if (!passed.has(row.id)) lane.waiting[urgency]!.push({ row, lease })
      else lane.isMoving = true
    }
    for (const lane of this.#lanes.values()) this.#askForMore(lane)
    void this.#handOut()
  }

  /** Gives back the rows that wait and that `is` says: of a line, of a subscriber, or all. */
  drop(is: (row: ClaimedRow) => boolean): HeldRow[] {
    const dropped: HeldRow[] = []
    for (const lane of this.#lanes.values()) {
      for (const [urgency, waiting] of lane.waiting.entries()) {
        if (!waiting.some(({ row }) => is(row))) continue
        dropped.push(...waiting.filter(({ row }) => is(row)))
        lane.waiting[urgency] = waiting.filter(({ row }) => !is(row))
      }
    }
    return dropped
  }

  /** Gives back what waits, so that any daemon may claim it again. */
  release(is: (row: ClaimedRow) => boolean): void {
    const rows = this.drop(is)
    if (!rows.length) return
    const before = this.#releasing
    this.#releasing = before
      .then(() => this.#deps.release(rows))
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#tellIdle())
  }

  /** Resolves when all rows are settled or given back. Rejects if that failed. */
  async idle(): Promise<void> {
    while (!this.#isIdle()) await new Promise<void>((done) => this.#idle.push(done))
    await this.#releasing
    const error = this.#error
    this.#error = undefined
    if (error) throw error.is
  }

  #want(line: string, lanes: readonly Lane[]): number[] {
    const room = this.#deps.route(line)?.room ?? 0
    const most = Math.min(this.#deps.claimMax, room * CLAIM_ROOMS)
    return NONE.map((_, urgency) => {
      const waiting = lanes.reduce((sum, lane) => sum + countOf(lane, urgency), 0)
      // A window's worth is still there: time enough to claim more.
      return waiting > room ? 0 : Math.max(0, most - waiting)
    })
  }

  #lane(line: string): Lane {
    const none = { line, waiting: NONE.map(() => []), hasMore: NONE.map(() => false), isMoving: false }
    const lane = this.#lanes.get(line) ?? none
    this.#lanes.set(line, lane)
    return lane
  }

  async #handOut(): Promise<void> {
    if (this.#isMarking) return
    this.#isMarking = true
    // All that one turn of the event loop settles makes room together.
    await undefined
    for (let next = this.#next(); next.length; next = this.#next()) {
      await this.#mark(next)
      if (this.#hasWaiting()) await this.#deps.pause()
    }
    this.#isMarking = false
    this.#tellIdle()
  }

  async #mark(next: readonly { held: HeldRow; line: string }[]): Promise<void> {
    try {
      const marked = await this.#deps.mark(next.map(({ held }) => held))
      for (const { held, line } of next) {
        const attempts = marked.get(held.row.id)
        if (attempts === undefined) this.#close(line)
        else void this.#send(held, line, attempts)
      }
    } catch (error) {
      for (const { line } of next) this.#close(line)
      this.#fail(error)
    }
  }

  async #send(held: HeldRow, line: string, attempts: number): Promise<void> {
    const lane = this.#lane(held.row.owed_line)
    try {
      if (await this.#deps.send(held, attempts)) {
        this.sent++
        lane.isMoving = true
      }
    } catch (error) {
      this.#fail(error)
    }
    this.#close(line)
    this.#askForMore(lane)
    void this.#handOut()
  }

  #askForMore(lane: Lane): void {
    if (!lane.isMoving || !lane.hasMore.includes(true)) return
    const room = this.#deps.route(lane.line)?.room ?? 0
    const isWanted = lane.hasMore.map((hasMore, urgency) => hasMore && countOf(lane, urgency) <= room)
    if (!isWanted.includes(true)) return
    lane.hasMore = lane.hasMore.map((hasMore, urgency) => hasMore && !isWanted[urgency])
    this.#deps.wanting()
  }

  /** The next rows for which there is room: one of each lane in turn, for lanes may share a line. */
  #next(): { held: HeldRow; line: string }[] {
    const next: { held: HeldRow; line: string }[] = []
    const routes = new Map<Lane, SmsRoute>()
    for (const lane of this.#lanes.values()) {
      if (countOf(lane) === 0) continue
      const route = this.#deps.route(lane.line)
      if (route) routes.set(lane, route)
      else this.release((row) => row.owed_line === lane.line)
    }
    for (let before = -1; before < next.length && next.length < MARK_MAX;) {
      before = next.length
      for (const [lane, { line, room }] of routes) {
        const open = this.#open.get(line) ?? 0
        const first = lane.waiting.find((waiting) => waiting.length > 0)
        if (open >= room || !first) continue
        this.#open.set(line, open + 1)
        this.#openAll++
        next.push({ held: first.shift()!, line })
      }
    }
    return next
  }

  #close(line: string): void {
    this.#open.set(line, this.#open.get(line)! - 1)
    this.#openAll--
  }

  #fail(error: unknown): void {
    this.#error ??= { is: error }
    this.#deps.failed(error)
  }

  #isIdle(): boolean {
    return !this.#isMarking && this.#openAll === 0 && !this.#hasWaiting()
  }

  #hasWaiting(): boolean {
    for (const lane of this.#lanes.values()) if (countOf(lane) > 0) return true
    return false
  }

  #tellIdle(): void {
    if (!this.#isIdle()) return
    for (const done of this.#idle.splice(0)) done()
  }
}

/** How many wait that are at least so urgent. */
function countOf({ waiting }: Lane, urgency = URGENCIES - 1): number {
  let sum = 0
  for (let n = 0; n <= urgency; n++) sum += waiting[n]!.length
  return sum
}
