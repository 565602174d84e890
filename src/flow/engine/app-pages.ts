/**
 * The pages of a text that an application wrote for one screen. Its own numbers stay, so the key for the next page is a
 * number that the text does not use.
 */
import { boundaryAt, fits, type PageLimit } from '../../ussd/index.ts'

export interface AppPage {
  text: string
  more: boolean
  /** Where the next page starts. */
  next: number
}

/** What menus of aggregators commonly use for "more", the most common first. */
const MORE_KEYS = ['98', '99', '00', '97'] as const

/** The number that asks for the next page of this text. */
export function moreKey(text: string): string {
  return MORE_KEYS.find((key) => !new RegExp(`(^|\\n)[^\\S\\n]*${key}(?!\\d)`).test(text)) ?? MORE_KEYS[0]
}

/**
 * The page that starts at this position. It ends at a line end if possible, otherwise at a word. `more`: the label of
 * the next page.
 */
export function layAppPage(text: string, start: number, { limit, more }: { limit: PageLimit; more: string }): AppPage {
  const rest = text.slice(start)
  if (fits(rest, limit)) return { text: rest, more: false, next: text.length }
  const tail = `\n${moreKey(text)}. ${more}`
  const reach = reachOf(rest, tail, limit)
  const end = cutAt(rest, reach)
  const skipped = /^\s*/.exec(rest.slice(end))?.[0].length ?? 0
  return { text: `${rest.slice(0, end).trimEnd()}${tail}`, more: true, next: start + end + skipped }
}

/** How many units fit on a page with this tail; at least one, so that the pages always come to an end. */
function reachOf(rest: string, tail: string, limit: PageLimit): number {
  let low = 1
  let high = Math.min(rest.length, Math.max(limit.septets, limit.ucs2))
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fits(rest.slice(0, boundaryAt(rest, middle)) + tail, limit)) low = middle
    else high = middle - 1
  }
  return boundaryAt(rest, low) || low
}

/** The last line end within reach, or the last blank, unless too little text would come before it. */
function cutAt(rest: string, reach: number): number {
  const line = rest.lastIndexOf('\n', reach)
  if (line > reach / 3) return line
  const blank = rest.lastIndexOf(' ', reach)
  return blank > reach / 2 ? blank : reach
}
