/**
 * The books of SMS that back ends and applications ask for, by the key of each: what was accepted is taken by the SMSC
 * once, or there is a recorded loss; what was taken back or replaced never is; and nothing is that nobody asked for. Pure.
 */
export interface AskedEntry {
  owner: string
  key: string
  /** Of this key alone. */
  text: string
  /**
   * owed: it was accepted, and the asker knows · open: nobody knows whether it was accepted · withdrawn: it was
   * cancelled, or replaced, before it left.
   */
  is: 'owed' | 'open' | 'withdrawn'
}

export interface AskedRow {
  owner: string
  key: string
  text: string
  state: string
  losses: number
}

/** Two attempts whose end nobody knows, and no more is tried: a third could be a third copy. */
const LOSSES_MAX = 2
const ENDED: ReadonlySet<string> = new Set(['accepted', 'delivered', 'failed', 'expired', 'cancelled'])

/** What is wrong, in words. `taken`: how often the SMSC took each text. */
export function askedBreaches(
  entries: readonly AskedEntry[],
  rows: readonly AskedRow[],
  taken: ReadonlyMap<string, number>,
): string[] {
  const byName = new Map(rows.map((row) => [nameOf(row), row]))
  const asked = new Set(entries.map(({ text }) => text))
  return [
    ...entries.flatMap((entry) => wrongWith(entry, byName.get(nameOf(entry)), taken.get(entry.text) ?? 0)),
    ...rows.filter(({ state }) => !ENDED.has(state)).map((row) => `${nameOf(row)} is still ${row.state}`),
    ...rows.filter(({ text }) => !asked.has(text)).map((row) => `${nameOf(row)} was asked for by nobody: ${row.text}`),
    ...[...taken.keys()].filter((text) => !asked.has(text)).map((text) => `was sent, and asked for by nobody: ${text}`),
  ]
}

/** SMS that the SMSC took twice: allowed after a recorded loss, and counted. */
export function takenTwice(taken: ReadonlyMap<string, number>): number {
  return [...taken.values()].filter((times) => times > 1).length
}

function wrongWith(entry: AskedEntry, row: AskedRow | undefined, times: number): string[] {
  const losses = row?.losses ?? 0
  const said = `${nameOf(entry)} (${entry.is}), ${row?.state ?? 'no row'}, losses ${losses}, taken ${times} times`
  if (entry.is === 'withdrawn') return times > 0 ? [said] : []
  const isMissing = entry.is === 'owed' && (!row || (times === 0 && losses < LOSSES_MAX))
  const isDoubled = times > LOSSES_MAX || (times > 1 && losses === 0)
  return isMissing || isDoubled ? [said] : []
}

function nameOf({ owner, key }: Pick<AskedRow, 'owner' | 'key'>): string {
  return `${owner}/${key}`
}
