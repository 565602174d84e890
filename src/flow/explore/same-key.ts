/**
 * Screens where one key changes something, directly behind a screen where the same key leads to them. If the network
 * delivers that key twice, and no counter shows that it is a copy, the copy confirms.
 */
import type { Compilation } from '../load/index.ts'
import { kindOf } from '../language/index.ts'
import { type Edge, explore, type ExploredPage, pagesFrom } from './explorer.ts'

export interface SameKey {
  /** The screen on which the key changes something. */
  screen: string
  key: string
  /** The screen before it. */
  behind: string
}

/** Each screen once, in the order in which a subscriber can meet them. The flow must be valid. */
export function sameKeyScreens(compilation: Compilation): SameKey[] {
  const { definition, flow } = compilation
  const found = new Map<string, SameKey>()
  const { pages } = explore(compilation, { language: definition.languages[0]! })
  const changing = (page: ExploredPage): string[] =>
    page.edges.flatMap((edge) => {
      const key = edge.how === 'printed' ? pressedOn(edge) : undefined
      return key !== undefined && edge.to && flow.changes(edge.to.screen) ? [key] : []
    })
  for (const page of pages) {
    for (const edge of page.edges) {
      if (edge.isRefused || pressedOn(edge) === undefined) continue
      for (const next of pagesFrom(edge)) {
        const key = changing(next).find((one) => leadsOn(compilation, edge, one))
        if (key !== undefined && !found.has(next.screen))
          found.set(next.screen, { screen: next.screen, key, behind: page.screen })
      }
    }
  }
  return [...found.values()]
}

/** What a subscriber presses or types on this edge. */
function pressedOn({ events }: Edge): string | undefined {
  const [event, ...more] = events
  return event?.type === 'ANSWER' && more.length === 0 ? event.text : undefined
}

/** Whether this key, too, leads where the edge leads. An input takes more answers than those that were tried. */
function leadsOn({ definition }: Compilation, edge: Edge, key: string): boolean {
  if (pressedOn(edge) === key) return true
  const screen = definition.screens[edge.from.screen]
  return edge.how === 'typed' && screen !== undefined && kindOf(screen).takes?.(screen, key) === true
}
