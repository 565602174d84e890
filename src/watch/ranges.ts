/** Lists by time, the newest first: from when to when, and behind which row. */

export interface RangeAsked {
  fromMs: number
  untilMs: number
  /** The last row of the page before. */
  before: { atMs: number; id: string } | null
  most: number
}

/** As statements have it. Without a row to go on from: behind the last moment that is asked for. */
export function rangeOf({ fromMs, untilMs, before, most }: RangeAsked) {
  return {
    from: new Date(fromMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    before_at: new Date(before ? before.atMs : untilMs + 1).toISOString(),
    before_id: before?.id ?? '',
    most,
  }
}
