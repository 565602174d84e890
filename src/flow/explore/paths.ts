/**
 * Talks written from a flow: the shortest ways that take every transition, with synthetic back ends and subscribers.
 */
import { CALLS_PER_TURN_MAX } from '../engine/index.ts'
import type { Compilation } from '../load/index.ts'
import { talkOf, type TalkEntry, writeTalk } from '../talk/index.ts'
import { CODE, type Edge, type Exploration, explore, PAGES_MAX, pathTo } from './explorer.ts'
import { type Transition, type Transitions, transitionsOf } from './transitions.ts'

export interface Paths {
  /** A `.talk` file. Each talk ends where it takes a transition that no earlier talk takes. */
  text: string
  talks: number
  /** How many transitions there are; `missing` are those that no talk takes. */
  all: number
  missing: Transition[]
  /** The flow has more pages than were explored: missing transitions may be beyond them. */
  cut: boolean
}

interface Way {
  edges: readonly Edge[]
  finds: string[]
}

/** The flow must be valid. `pagesMax`: how many of its pages are explored. */
export function talksOf(compilation: Compilation, pagesMax = PAGES_MAX): Paths {
  const { definition, flow } = compilation
  const exploration = explore(compilation, { language: definition.languages[0]!, everything: true, pagesMax })
  const transitions = transitionsOf(compilation)
  const { all } = transitions
  const { ways, found } = waysOf(exploration, transitions, flow)
  // Leaves out a way that another way continues: the longer one covers it.
  const whole = ways.filter(
    (way) => !ways.some((other) => other !== way && way.edges.every((edge, i) => other.edges[i] === edge)),
  )
  const talks = whole.map((way) => {
    const events = settled(way).flatMap((edge) => edge.events.map((event): TalkEntry => ({ event })))
    return writeTalk({
      title: way.finds.at(-1)!,
      steps: talkOf({ flow, entries: [{ input: exploration.input }, ...events] })!.steps,
    })
  })
  const head = `# Written by flow paths: every transition that it reaches with synthetic answers.\nflow ${definition.flow}\ncode ${CODE}\n`
  const missing = all.filter(({ name }) => !found.has(name))
  return { text: [head, ...talks].join('\n'), talks: talks.length, all: all.length, missing, cut: exploration.isCut }
}

/** Ways of which each is the shortest to a transition that no earlier way takes. */
function waysOf(
  { input, states }: Exploration,
  { all, begun, taken }: Transitions,
  flow: Compilation['flow'],
): { ways: Way[]; found: Set<string> } {
  const known = new Set(all.map(({ name }) => name))
  const found = new Set<string>()
  const news = (names: readonly string[]) =>
    [...new Set(names)].filter((name) => known.has(name) && !found.has(name) && found.add(name))
  const ways: Way[] = [{ edges: [], finds: news(begun(input)) }]
  for (const edge of states.flatMap(({ edges }) => edges)) {
    if (found.size === known.size) break
    if (edge.isFault) continue
    const finds = news(takenBy(edge, flow, taken))
    if (finds.length > 0) ways.push({ edges: [...pathTo(edge.from), edge], finds })
  }
  return { ways, found }
}

function takenBy({ events, from }: Edge, flow: Compilation['flow'], taken: Transitions['taken']): string[] {
  let at = from.snapshot
  return events.flatMap((event) => {
    const names = taken(at, event)
    at = flow.step(at, event)
    return names
  })
}

/** A way that stops at a call continues with a successful answer, because a talk shows pages. */
function settled({ edges }: Way): readonly Edge[] {
  const out = [...edges]
  for (let n = 0; n < CALLS_PER_TURN_MAX; n++) {
    const well = out.at(-1)?.to?.edges.find(({ events }) => events[0]!.type === 'RESULT')
    if (!well) break
    out.push(well)
  }
  return out
}
