/**
 * What the explorer finds wrong: a printed number that does not work, a page that does not fit, a way that runs into a
 * fault.
 */
import { type FlowDefinition, kindOf } from '../language/index.ts'
import { fits, USSD_PAGE } from '../../ussd/index.ts'
import { type FlowProblem, trailsOf } from '../check/index.ts'
import type { Compilation } from '../load/index.ts'
import type { ReadFlow } from '../read/index.ts'
import { toEnd } from '../../base/index.ts'
import type { Lengths } from '../screens/index.ts'
import { examplesIn } from './examples.ts'
import { type Exploration, exploring, type ExploredPage, PAGES_MAX } from './explorer.ts'

/** How far a flow was walked, over all languages. */
export interface Walked {
  languages: number
  /** Screens that were reached, of all. */
  screens: number
  all: number
  pages: number
  /** Keys, answers and outcomes of calls that were tried. */
  ways: number
  /** It was walked again with the longest answers that `expect` allows. */
  longest: boolean
}

/** The problems of a flow that compiles, each once, with the keys that show it. */
export function proveFlow(compilation: Compilation, at: ReadFlow['at']): FlowProblem[] {
  return toEnd(provingFlow(compilation, at))
}

/** `proveFlow` in pieces, for a daemon that serves meanwhile: a large flow takes seconds. */
export function* provingFlow(
  compilation: Compilation,
  at: ReadFlow['at'],
  tell?: (walked: Walked) => void,
): Generator<undefined, FlowProblem[]> {
  const { definition } = compilation
  const problems = new Map<string, FlowProblem>()
  const proving: Proving = { compilation, at, problems, trails: trailsOf(definition) }
  const examples = examplesIn(definition, 'likely')
  const names = Object.keys(definition.screens)
  const hasLongest = names.some((name) => examples(name).hasLongest)
  const all: Lengths[] = hasLongest ? ['likely', 'longest'] : ['likely']
  const walks: Exploration[] = []
  for (const language of definition.languages) {
    const found: Exploration[] = []
    for (const [i, lengths] of all.entries())
      found.push(yield* exploring(compilation, { language, lengths, like: walks[i] ?? found[0] }))
    foundIn(found, proving)
    walks.push(...found)
  }
  for (const name of names) noteUntried(name, examples(name).untried?.() ?? 0, proving)
  tell?.(walkedIn(definition, walks, hasLongest))
  return [...problems.values()]
}

interface Proving {
  compilation: Compilation
  at: ReadFlow['at']
  /** Each problem once. */
  problems: Map<string, FlowProblem>
  trails: ReadonlyMap<string, string>
}

/** What the walks in one language found. */
function foundIn(found: readonly Exploration[], { compilation, at, problems, trails }: Proving): void {
  if (found.some(({ isCut }) => isCut)) {
    const what = `the flow has more than ${PAGES_MAX} pages: the walk ended there, and the rest was not looked at`
    const remedy = 'split the flow, or write talks for its last screens'
    problems.set('cut', { severity: 'warning', rule: 'walk-cut', where: at(['screens']), what, remedy })
  }
  for (const { screen, what, trail, severity } of found.flatMap(faultsOf)) {
    const where = at(['screens', screen])
    const key = `${screen} ${what}`
    if (problems.has(key)) continue
    problems.set(key, { severity, rule: 'walk', where, what: `screen '${screen}': ${what}`, shown: trail.join(' > ') })
  }
  for (const name of notReached(compilation, found)) {
    problems.set(name, {
      severity: 'warning',
      rule: 'unreached',
      where: at(['screens', name]),
      what: `synthetic answers do not reach screen '${name}'`,
      remedy: 'write a talk that reaches it',
      ...shownBy(trails.get(name)),
    })
  }
}

function noteUntried(name: string, untried: number, { at, problems }: Proving): void {
  if (untried <= 0) return
  const what = `screen '${name}': the walk did not try ${untried} of the answers at which something may change`
  const remedy = 'compare fewer values of one call, or write talks for them'
  problems.set(`${name} untried`, { severity: 'warning', rule: 'untried', where: at(['screens', name]), what, remedy })
}

function walkedIn({ languages, screens }: FlowDefinition, walks: readonly Exploration[], longest: boolean): Walked {
  const reached = new Set(walks.flatMap(({ states }) => states.map(({ screen }) => screen)))
  const all = Object.entries(screens)
  return {
    languages: languages.length,
    screens: all.filter(([name, screen]) => reached.has(name) || kindOf(screen).does === 'pass').length,
    all: all.length,
    pages: walks.reduce((sum, { pages }) => sum + pages.length, 0),
    ways: walks.reduce((sum, { states }) => sum + states.reduce((ways, { edges }) => ways + edges.length, 0), 0),
    longest,
  }
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
