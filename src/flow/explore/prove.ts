/** What a walk finds wrong: every printed number works, every page fits, nothing runs into a fault. */
import { kindOf } from '../language/index.ts'
import { fits, USSD_PAGE } from '../../ussd/index.ts'
import { type FlowProblem, trailsOf } from '../check/index.ts'
import type { Compilation } from '../load/index.ts'
import type { ReadFlow } from '../read/index.ts'
import { toEnd } from '../../base/index.ts'
import { walkingFlow, type Walk, type WalkedPage } from './walk.ts'
import { hasBounds } from './synthetic-calls.ts'
import type { Lengths } from './synthetic-rows.ts'

/** A problem of a flow that compiles, each once, with the keys that show it. */
export function proveFlow(compilation: Compilation, at: ReadFlow['at']): FlowProblem[] {
  return toEnd(provingFlow(compilation, at))
}

/** The same in pieces, for a daemon that serves meanwhile: a large flow takes seconds. */
export function* provingFlow(compilation: Compilation, at: ReadFlow['at']): Generator<undefined, FlowProblem[]> {
  const { definition } = compilation
  const found = new Map<string, FlowProblem>()
  const trails = trailsOf(definition)
  const bounded = Object.values(definition.screens).some((screen) => screen.kind === 'call' && hasBounds(screen))
  const all: Lengths[] = bounded ? ['likely', 'longest'] : ['likely']
  for (const language of definition.languages) {
    const walks: Walk[] = []
    for (const lengths of all) walks.push(yield* walkingFlow(compilation, language, lengths))
    for (const { screen, what, trail, severity } of walks.flatMap(faultsOf)) {
      const where = at(['screens', screen])
      const key = `${screen} ${what}`
      if (found.has(key)) continue
      found.set(key, { severity, where, what: `screen '${screen}': ${what}`, shown: trail.join(' > ') })
    }
    for (const name of notWalked(compilation, walks)) {
      const what = `synthetic answers do not reach screen '${name}'`
      const where = at(['screens', name])
      found.set(name, {
        severity: 'warning',
        where,
        what,
        remedy: 'write a talk that reaches it',
        ...shownBy(trails.get(name)),
      })
    }
  }
  return [...found.values()]
}

/** The way that it is written to be reached by. */
function shownBy(trail: string | undefined): { shown?: string } {
  return trail === undefined ? {} : { shown: trail }
}

interface Fault {
  screen: string
  what: string
  trail: readonly string[]
  severity: FlowProblem['severity']
}

function faultsOf(walk: Walk): Fault[] {
  return [
    ...walk.faults.map((fault): Fault => ({ ...fault, severity: 'error' })),
    ...walk.pages.flatMap((page) => pageFaults(page)),
  ]
}

function pageFaults({ screen, want, trail, context }: WalkedPage): Fault[] {
  const out: Fault[] = []
  const { text } = want
  if (text.trim() === '') out.push({ screen, what: 'shows nothing', trail, severity: 'error' })
  if (!fits(text, USSD_PAGE)) out.push({ screen, what: 'shows more than one page', trail, severity: 'error' })
  const lines = [...text.matchAll(/^\d+\. (.*)$/gm)].map((found) => found[1] as string)
  const twice = lines.find((line, i) => lines.indexOf(line) < i)
  if (twice !== undefined) {
    const what = `two lines both read '${twice}' in '${context.language}'`
    out.push({ screen, what, trail, severity: 'warning' })
  }
  if (lines.some((line) => line.trim() === ''))
    out.push({ screen, what: 'has an empty line', trail, severity: 'warning' })
  return out
}

/** Screens that are seen or call, and were come by on no walk; of a walk that was cut, nothing is known. */
function notWalked({ definition }: Compilation, walks: readonly Walk[]): string[] {
  if (walks.some(({ cut }) => cut)) return []
  return Object.entries(definition.screens)
    .filter(([name, screen]) => kindOf(screen).does !== 'pass' && !walks.some(({ screens }) => screens.has(name)))
    .map(([name]) => name)
}
