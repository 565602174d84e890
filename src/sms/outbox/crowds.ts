/**
 * Subscribers who have many SMS of one kind due while others wait: their SMS go behind those of the others. Without it,
 * a thousand of them, due a moment earlier, hold up everybody. What it costs is one count of a claimed row, in memory.
 */
import type { ClaimedRow } from './rows.ts'

/** The SMS of one kind to one subscriber, on one line. */
export interface SmsCrowd {
  line: string
  kind: string
  msisdn: string
  /** All of the sample were of this one: perhaps nobody else waits. */
  alone: boolean
}

/** How many rows of a line and kind are looked at together. */
const SAMPLE = 20
/** More than this in a sample is a crowd: a subscriber of a campaign is in it once. */
const CROWD_MIN = 3
/** How often those of one line and kind are told at most: to put them behind costs a version of each row. */
const EVERY_MS = 1_000
/** More lines and kinds at once are not counted. */
const GROUPS_MAX = 256

interface Sample {
  rows: number
  /** How often each subscriber is in it. */
  counts: Map<string, number>
  /** Not told before. */
  fromMs: number
}

export class Crowds {
  readonly #samples = new Map<string, Sample>()

  /** The crowds that these claimed rows complete a sample of. Where all that was due was claimed, there is none. */
  among(rows: readonly ClaimedRow[], nowMs: number): SmsCrowd[] {
    const groups = new Map<string, ClaimedRow[]>()
    for (const row of rows) {
      const name = JSON.stringify([row.owed_line, row.kind])
      const group = groups.get(name)
      if (group) group.push(row)
      else groups.set(name, [row])
    }
    return [...groups].flatMap(([name, group]) => this.#amongGroup(name, group, nowMs))
  }

  #amongGroup(name: string, group: readonly ClaimedRow[], nowMs: number): SmsCrowd[] {
    const { owed_line: line, kind, has_more: hasMore } = group[0]!
    const sample = this.#samples.get(name) ?? { rows: 0, counts: new Map<string, number>(), fromMs: -Infinity }
    this.#samples.delete(name)
    if (!hasMore || this.#samples.size >= GROUPS_MAX) return []
    sample.rows += group.length
    for (const { msisdn } of group) sample.counts.set(msisdn, (sample.counts.get(msisdn) ?? 0) + 1)
    if (sample.rows < SAMPLE) {
      this.#samples.set(name, sample)
      return []
    }
    const isTold = nowMs >= sample.fromMs
    const crowds = [...sample.counts].flatMap(([msisdn, count]) =>
      isTold && count > CROWD_MIN ? [{ line, kind, msisdn, alone: count === sample.rows }] : [],
    )
    const fromMs = crowds.length > 0 ? nowMs + EVERY_MS : sample.fromMs
    this.#samples.set(name, { rows: 0, counts: new Map(), fromMs })
    return crowds
  }
}
