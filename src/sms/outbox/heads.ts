/**
 * Where the next claim of a line and kind begins: behind the last row that was claimed. The entries of the rows before
 * it stay in the index until Postgres cleans it: of a million that are due in one moment, each claim would pass those
 * that have left. Now and then, and where something is wanted of which nothing is known, a claim begins at the start.
 */
import type { Wants } from './lanes.ts'
import type { ClaimedRow } from './rows.ts'

/** How long claims go on behind the last: for so long an SMS of another kind that becomes due waits. */
const ANEW_EVERY_MS = 200

interface Head {
  line: string
  kind: string
  since: string
  id: string
}

export class Heads {
  #heads: readonly Head[] = []
  #untilMs = -Infinity

  /** The value of `:heads`. Null: begin at the start. */
  for({ named, other }: Wants, nowMs: number): string | null {
    if (nowMs >= this.#untilMs) return null
    const known = new Set(this.#heads.map(({ line }) => laneOf(line, named)))
    const wanted = Object.keys(named).filter((line) => named[line]! > 0)
    const isKnown = [...wanted, ...(other > 0 ? [''] : [])].every((line) => known.has(line))
    return isKnown ? JSON.stringify(this.#heads) : null
  }

  /** These were claimed, beginning at `from`. */
  claimed(rows: readonly ClaimedRow[], from: string | null, { wants, nowMs }: { wants: Wants; nowMs: number }): void {
    if (from === null) this.#untilMs = nowMs + ANEW_EVERY_MS
    const { named, other } = wants
    const isWanted = (line: string) => (Object.hasOwn(named, line) ? named[line]! : other) > 0
    const kept = from === null ? [] : this.#heads.filter(({ line }) => !isWanted(line))
    this.#heads = [...kept, ...headsOf(rows, named)]
  }

  /** The next claim begins at the start. */
  forget(): void {
    this.#untilMs = -Infinity
  }
}

/** `rows` of one line and kind are in the order in which they were due. */
function headsOf(rows: readonly ClaimedRow[], named: Wants['named']): Head[] {
  const lanes = new Map<string, Map<string, ClaimedRow[]>>()
  for (const row of rows) {
    const lane = lanes.get(laneOf(row.owed_line, named)) ?? new Map<string, ClaimedRow[]>()
    lanes.set(laneOf(row.owed_line, named), lane)
    const name = JSON.stringify([row.owed_line, row.kind])
    const group = lane.get(name)
    if (group) group.push(row)
    else lane.set(name, [row])
  }
  return [...lanes.values()].flatMap((lane) => {
    const groups = [...lane.values()]
    // What was left as it is stands before the last; and a kind of which nothing was claimed waits.
    const isWhole = groups.length === groups[0]![0]!.kinds && !groups.flat().some((row) => row.is_again)
    return isWhole ? groups.filter((group) => group[0]!.has_more).map(headOf) : []
  })
}

function headOf(group: readonly ClaimedRow[]): Head {
  const { owed_line: line, kind, since, id } = group.at(-1)!
  return { line, kind, since, id }
}

function laneOf(line: string, named: Wants['named']): string {
  return Object.hasOwn(named, line) ? line : ''
}
