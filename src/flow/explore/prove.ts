/**
 * What the explorer finds wrong: a printed number that does not work, a page that does not fit, a way that runs into a
 * fault.
 */
import { kindOf } from '../language/index.ts'
import { fits, USSD_PAGE } from '../../ussd/index.ts'
import { type FlowProblem, trailsOf } from '../check/index.ts'
import type { Compilation } from '../load/index.ts'
import type { ReadFlow } from '../read/index.ts'
import { toEnd } from '../../base/index.ts'
import type { Lengths } from '../screens/index.ts'
import { examplesIn } from './examples.ts'
import { type Exploration, exploring, type ExploredPage } from './explorer.ts'

/** The problems of a flow that compiles, each once, with the keys that show it. */
export function proveFlow(compilation: Compilation, at: ReadFlow['at']): FlowProblem[] {
  return toEnd(provingFlow(compilation, at))
}

/** `proveFlow` in pieces, for a daemon that serves meanwhile: a large flow takes seconds. */
export function* provingFlow(compilation: Compilation, at: ReadFlow['at']): Generator<undefined, FlowProblem[]> {
  const { definition } = compilation
  const problems = new Map<string, FlowProblem>()
  const trails = trailsOf(definition)
  const examples = examplesIn(definition, 'likely')
  const hasLongest = Object.keys(definition.screens).some((name) => examples(name).hasLongest)
  const all: Lengths[] = hasLongest ? ['likely', 'longest'] : ['likely']
  for (const language of definition.languages) {
    const found: Exploration[] = []
    for (const lengths of all) found.push(yield* exploring(compilation, { language, lengths }))
    for (const { screen, what, trail, severity } of found.flatMap(faultsOf)) {
      const where = at(['screens', screen])
      const key = `${screen} ${what}`
      if (problems.has(key)) continue
      problems.set(key, { severity, where, what: `screen '${screen}': ${what}`, shown: trail.join(' > ') })
    }
    for (const name of notReached(compilation, found)) {
      const what = `synthetic answers do not reach screen '${name}'`
      const where = at(['screens', name])
      problems.set(name, {
        severity: 'warning',
        where,
        what,
        remedy: 'write a talk that reaches it',
        ...shownBy(trails.get(name)),
      })
    }
  }
  return [...problems.values()]
}

/** The way to the screen as the file has it. */
function shownBy(trail: string | undefined): { shown?: string } {
  return trail === undefined ? {} : { shown: trail }
}

interface Fault {
  screen: string
  what: string
  trail: readonly string[]
  severity: FlowProblem['severity']
}

function faultsOf({ faults, pages }: Exploration): Fault[] {
  return [
    ...faults.map((fault): Fault => ({ ...fault, severity: 'error' })),
    ...pages.flatMap((page) => pageFaults(page)),
  ]
}

function pageFaults({ screen, want, trail, context }: ExploredPage): Fault[] {
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

/**
 * Screens that are shown or make a call, and that no exploration reached. If there were too many pages, nothing is
 * known.
 */
function notReached({ definition }: Compilation, found: readonly Exploration[]): string[] {
  if (found.some(({ isCut }) => isCut)) return []
  const reached = new Set(found.flatMap(({ states }) => states.map(({ screen }) => screen)))
  return Object.entries(definition.screens)
    .filter(([name, screen]) => kindOf(screen).does !== 'pass' && !reached.has(name))
    .map(([name]) => name)
}
