/** How dialogues ended, as a bar and in words. */
import { html, type Markup, type Saying } from './kit.ts'

export type EndsByReason = readonly [reason: string, count: number][]

const REASONS_SHOWN = 4
const [PART_WIDTH, PART_HEIGHT] = [200, 10]
/** Reasons that are as they should be; of the others somebody may want to know. */
export const ENDED_WELL: ReadonlySet<string> = new Set(['completed', 'exit'])

/** The most frequent first. */
export function byCount(counts: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(counts).toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
}

export function endsBar(reasons: EndsByReason): Markup | string {
  const all = reasons.reduce((sum, [, count]) => sum + count, 0)
  if (all === 0) return ''
  let x = 0
  const parts = reasons.map(([reason, count], n) => {
    const width = (count / all) * PART_WIDTH
    const part = html`<rect
      class="${ENDED_WELL.has(reason) ? 'well' : `part-${Math.min(n, 4)}`}"
      x="${x.toFixed(1)}"
      width="${width.toFixed(1)}"
      height="${PART_HEIGHT}"
    />`
    x += width
    return part
  })
  return html`<svg
    class="parts"
    viewBox="0 0 ${PART_WIDTH} ${PART_HEIGHT}"
    preserveAspectRatio="none"
    aria-hidden="true"
  >
    ${parts}
  </svg>`
}

export function endsSaid(reasons: EndsByReason, { words }: Saying): string {
  const all = reasons.reduce((sum, [, count]) => sum + count, 0)
  const shown = reasons.slice(0, REASONS_SHOWN).map(([reason, count]) => `${reason} ${percentSaid(count, all)}`)
  const more = reasons.length > REASONS_SHOWN ? [words.overview.more(reasons.length - REASONS_SHOWN)] : []
  return [...shown, ...more].join(' · ')
}

/** Whole per cent, and a tenth where it is below one. */
export function percentSaid(part: number, all: number): string {
  const share = all === 0 ? 0 : (100 * part) / all
  return `${share > 0 && share < 1 ? share.toFixed(1) : Math.round(share)} %`
}
