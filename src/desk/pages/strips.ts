/** Strips of outages: a bar of the last hours, and a row of days. */
import { downMs, downWithin, type LineOutage } from '../outages.ts'
import { ageSaid, dayOfZone, html, type Markup, type Saying } from './kit.ts'

const DAY_MS = 86_400_000
const MINUTES = 1_440
const DAYS = 90
const CELL = 10

/** The last 24 hours, the present at its right end. A short outage is as wide as can be seen. */
export function dayStrip(outages: readonly LineOutage[], { words, nowMs }: Saying): Markup {
  const from = nowMs - DAY_MS
  const spans = downWithin(outages, from, nowMs)
  const label = words.lines.strip(spans.length, ageSaid(downMs(spans)))
  const bars = spans.map(({ fromMs, toMs }) => {
    const x = ((fromMs - from) / DAY_MS) * MINUTES
    const width = Math.max(((toMs - fromMs) / DAY_MS) * MINUTES, 8)
    return html`<rect
      class="down"
      x="${Math.min(x, MINUTES - width).toFixed(1)}"
      y="0"
      width="${width.toFixed(1)}"
      height="10"
    />`
  })
  return html`<svg
    class="strip"
    viewBox="0 0 ${MINUTES} 10"
    preserveAspectRatio="none"
    role="img"
    aria-label="${label}"
  >
    <title>${label}</title>
    <rect class="well" width="${MINUTES}" height="10" />
    ${bars}
  </svg>`
}

/** One cell a day, today at the right end. */
export function daysStrip(outages: readonly LineOutage[], { words, nowMs, zone }: Saying): Markup {
  const cells = Array.from({ length: DAYS }, (_, n) => {
    const to = nowMs - (DAYS - 1 - n) * DAY_MS
    const down = downMs(downWithin(outages, to - DAY_MS, to))
    const is = down === 0 ? 'well' : down < 600_000 ? 'short' : 'down'
    const label = words.lines.day(dayOfZone(to, zone), down === 0 ? '' : ageSaid(down))
    return html`<rect class="${is}" x="${n * CELL + 1}" y="0" width="${CELL - 2}" height="22" rx="1"
      ><title>${label}</title></rect
    >`
  })
  return html`<svg
    class="days"
    viewBox="0 0 ${DAYS * CELL} 22"
    preserveAspectRatio="none"
    role="img"
    aria-label="${words.time.last90d}"
  >
    ${cells}
  </svg>`
}
