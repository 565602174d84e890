/**
 * Checks that days, moments and times of day are compared with their like. All are texts, so a wrong pair is compared
 * letter by letter, and is right on some days only.
 */
import { isDay, isTimeOfDay, type Node, nodesOf, readingOf, type Scalar, wholePath } from '../expression/index.ts'
import { type FlowDefinition, inputOf, keepersAt, pointing, setIn, usesOf } from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'
import { compileIn, wordsIn } from '../text/index.ts'
import type { Complain } from './check.ts'
import { expressionsIn } from './types.ts'

const DAY = 'a day'
const MOMENT = 'a moment'
const TIME = 'a time of day'
type Temporal = typeof DAY | typeof MOMENT | typeof TIME

export function checkMoments({ definition, at }: ReadFlow, complain: Complain): void {
  const kindOf = temporalIn(definition)
  for (const { node, source, screen, place } of expressionsIn(definition)) {
    for (const inner of nodesOf(node)) {
      const wrong = comparedWrong(inner, source, kindOf) ?? reckonedWrong(inner, source, kindOf)
      if (!wrong) continue
      const { what, remedy } = wrong
      complain('error', { ...pointing(at, place, source, inner.at), what: `screen '${screen}' ${what}`, remedy })
    }
  }
}

type KindOf = (node: Node) => Temporal | undefined

function comparedWrong(node: Node, source: string, kindOf: KindOf): { what: string; remedy: string } | undefined {
  if (node.is !== 'compare' || node.op === 'contains') return undefined
  const wrong = wrongPair(node.left, node.right, kindOf) ?? wrongPair(node.right, node.left, kindOf)
  if (!wrong) return undefined
  const [one, other] = wrong.sides.map((side) =>
    side.is === 'literal' ? String(side.value) : side.is === 'path' ? side.path : source.slice(side.at, side.end),
  ) as [string, string]
  return { what: `compares '${one}', ${wrong.is}, with '${other}', ${wrong.not}`, remedy: wrong.remedy(one) }
}

/** A day in a sum. Of `today` itself, the check of types says so. */
function reckonedWrong(node: Node, source: string, kindOf: KindOf): { what: string; remedy: string } | undefined {
  const sides = node.is === 'arithmetic' ? [node.left, node.right] : []
  const side = sides.find((one) => kindOf(one) !== undefined && !isDay(one))
  if (side === undefined) return undefined
  const what = `reckons with '${source.slice(side.at, side.end)}', ${kindOf(side)}, as with a number`
  return { what, remedy: 'use days(from, to) or years(from, to); a span has a unit: today - 18 years' }
}

interface Wrong {
  sides: [Node, Node]
  is: Temporal
  not: string
  remedy: (written: string) => string
}

const REMEDY: Record<Temporal, (written: string) => string> = {
  [MOMENT]: (written) => `compare the time of day: time(${written})`,
  [DAY]: () => 'compare with a day: 2025-05-10, today, or today - 18 years',
  [TIME]: () => "compare with a time of day, such as '18:00', or time(…) of a moment",
}

/** Words that stand for a text on the right of a comparison, and what was meant by them. */
const MEANT: Record<string, Partial<Record<Temporal, string>>> = {
  today: { [DAY]: 'today()', [MOMENT]: 'today()' },
  now: { [TIME]: 'time(now)', [MOMENT]: '{now}' },
}

/** Undefined if the first side has no part in time, or if the other fits. */
function wrongPair(one: Node, other: Node, kindOf: KindOf): Wrong | undefined {
  const is = one.is === 'literal' ? undefined : kindOf(one)
  if (is === undefined) return undefined
  const remedy = REMEDY[is]
  const wrong = (not: string): Wrong => ({ sides: [one, other], is, not, remedy })
  if (other.is === 'literal' && (other.value === null || typeof other.value === 'boolean')) return undefined
  const not = other.is === 'literal' ? writtenKind(String(other.value)) : kindOf(other)
  if (not === undefined) {
    if (other.is !== 'literal') return undefined
    if (typeof other.value === 'number') return wrong('a number')
    const meant = MEANT[String(other.value)]?.[is]
    return { ...wrong('a word'), ...(meant === undefined ? {} : { remedy: () => `write ${meant}` }) }
  }
  if (is === not || (is !== TIME && not !== TIME)) return undefined
  // Beside time(…), a moment counts as its time of day.
  if ((isTimeOfDay(one) && not === MOMENT) || (isTimeOfDay(other) && is === MOMENT)) return undefined
  // The other order says it better.
  return is === TIME && other.is !== 'literal' ? undefined : wrong(not)
}

const DAY_WRITTEN = /^\d{4}-\d{2}-\d{2}$/
const MOMENT_WRITTEN = /^\d{4}-\d{2}-\d{2}T/
/** `18:00`, `6.30`, `18h00`. */
const TIME_WRITTEN = /^\d{1,2}[:.h]\d{2}(:\d{2})?$/

function writtenKind(written: string): Temporal | undefined {
  if (DAY_WRITTEN.test(written)) return DAY
  if (MOMENT_WRITTEN.test(written)) return MOMENT
  return TIME_WRITTEN.test(written) ? TIME : undefined
}

/** What a value is, as far as the flow says it: by the rules of inputs, by texts that show it, by functions. */
function temporalIn(definition: FlowDefinition): (node: Node) => Temporal | undefined {
  const set = setIn(definition)
  const shown = shownAsMoments(definition)
  const known = new Map<string, Temporal | undefined>()
  const ofPath = (path: string): Temporal | undefined => {
    if (path === 'now') return MOMENT
    const [root, name = '', field] = path.split('.')
    if (root === 'answers') return answered(path, definition) ?? (shown.has(path) ? MOMENT : undefined)
    if (root !== 'vars' || field !== undefined) return shown.has(path) ? MOMENT : undefined
    if (!known.has(path)) {
      // While it is being found, a value that depends on itself is nothing.
      known.set(path, undefined)
      const kinds = new Set((set.get(name) ?? []).map(ofValue))
      known.set(path, kinds.size === 1 ? [...kinds][0] : undefined)
    }
    return known.get(path) ?? (shown.has(path) ? MOMENT : undefined)
  }
  const ofNode = (node: Node): Temporal | undefined => {
    if (isDay(node)) return DAY
    if (isTimeOfDay(node)) return TIME
    return node.is === 'path' ? ofPath(node.path) : undefined
  }
  const ofValue = (value: Scalar): Temporal | undefined => {
    const reading = readingOf(value)
    if (reading) return ofNode(reading.node)
    const path = wholePath(value)
    return path === undefined ? writtenKind(String(value)) : ofPath(path)
  }
  return ofNode
}

/** By the rules of the inputs that keep this answer. */
function answered(path: string, definition: FlowDefinition): Temporal | undefined {
  const kinds = keepersAt(path, definition).map((screen): Temporal | undefined => {
    const { checks = [] } = inputOf(screen) ?? {}
    return checks.some(({ date }) => date) ? DAY : checks.some(({ time }) => time) ? TIME : undefined
  })
  return new Set(kinds).size === 1 ? kinds[0] : undefined
}

function shownAsMoments(definition: FlowDefinition): ReadonlySet<string> {
  return new Set(
    usesOf(definition).texts.flatMap(({ text }) =>
      definition.languages.flatMap((language) => {
        const message = compileIn(definition, wordsIn(definition, text, language) ?? '', language)
        if (typeof message === 'string') return []
        return message.slots.filter(({ as }) => as === 'date' || as === 'time').map(({ path }) => path)
      }),
    ),
  )
}
