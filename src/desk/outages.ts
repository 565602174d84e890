/** Outages of lines, made of the events of their binds: for strips of the last hours and days. */
import type { LineEventRow } from '../watch/index.ts'

export interface LineOutage {
  line: string
  /** The daemon. */
  instance: string
  bind: string
  fromMs: number
  /** Null: it goes on. */
  toMs: number | null
  why: string | null
  detail: string | null
}

type Event = Pick<LineEventRow, 'at' | 'instance' | 'line' | 'bind' | 'event' | 'why' | 'detail' | 'since'>

/**
 * `events`: in any order, of all since `readFromMs`. An outage that began before has its beginning from its end. A bind that
 * came up without having been down was started.
 */
export function outagesOf(events: readonly Event[], readFromMs: number): LineOutage[] {
  const open = new Map<string, LineOutage>()
  const over: LineOutage[] = []
  for (const event of events.toSorted((a, b) => a.at.getTime() - b.at.getTime())) {
    const { at, instance, line, bind, why, detail, since } = event
    if (bind === null) continue
    const key = `${instance} ${bind}`
    const before = open.get(key)
    open.delete(key)
    const fromMs = since?.getTime() ?? at.getTime()
    if (event.event === 'down') open.set(key, before ?? { line, instance, bind, fromMs, toMs: null, why, detail })
    else if (event.event === 'up' && !before && fromMs >= readFromMs) continue
    else if (event.event === 'up')
      over.push({
        line,
        instance,
        bind,
        why: before?.why ?? why,
        detail: before?.detail ?? detail,
        fromMs,
        toMs: at.getTime(),
      })
    // It closed while it was down: somebody stopped it, and nobody knows what was after.
    else if (before) over.push({ ...before, toMs: at.getTime() })
  }
  return [...over, ...open.values()].filter(({ fromMs, toMs }) => toMs === null || toMs > fromMs)
}

export interface Span {
  fromMs: number
  toMs: number
}

/** Together, without overlaps, within a time. In order. */
export function downWithin(outages: readonly Pick<LineOutage, 'fromMs' | 'toMs'>[], from: number, to: number): Span[] {
  const spans: Span[] = []
  for (const { fromMs, toMs } of outages.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const span = { fromMs: Math.max(fromMs, from), toMs: Math.min(toMs ?? to, to) }
    if (span.toMs <= span.fromMs) continue
    const last = spans.at(-1)
    if (last && span.fromMs <= last.toMs) last.toMs = Math.max(last.toMs, span.toMs)
    else spans.push(span)
  }
  return spans
}

export function downMs(spans: readonly Span[]): number {
  return spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
}
