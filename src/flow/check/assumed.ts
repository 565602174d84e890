/** What the checks assume of back ends where nobody says: so that a designer knows what was not proven. */
import { compileCondition, isDay, type Node, nodesOf, Slip, wholePath } from '../expression/index.ts'
import {
  builtInFor,
  callOf,
  expectsOf,
  type FlowDefinition,
  keptAt,
  kindOf,
  TEXT_KEYS,
  UNREVIEWED,
  usesOf,
} from '../language/index.ts'
import { pagedByLetters } from './value-letters.ts'
import { callsIn } from './money.ts'
import { readsByScreen } from './paths.ts'

/** The most paths of one line. */
const NAMED_MAX = 6

export function assumedIn(definition: FlowDefinition): string[] {
  return [
    line('at most 24 characters in', longTexts(definition)),
    line('at most 12 rows in', manyRows(definition)),
    line('not negative, where it reaches a call that changes something:', amounts(definition)),
    line('there and of the right type:', untyped(definition)),
    more('the same at any other moment than that of the walk:', timed(definition), ' (conditions read the time)'),
    more('right, though no native speaker has read them: built-in texts in', unreadIn(definition)),
    more('letters of GSM 7-bit only in values, else more pages of', pagedByLetters(definition)),
  ].filter((words) => words !== '')
}

/** Languages in which the flow shows built-in texts that nobody has reviewed. */
function unreadIn({ languages, texts }: FlowDefinition): string[] {
  return languages.filter((language) => {
    const own = builtInFor(language)
    return own !== undefined && UNREVIEWED.has(own) && TEXT_KEYS.some((key) => texts[language]?.[key] === undefined)
  })
}

/** Screens with a comparison that only the moment of the dial decides: the walk dials at one. */
function timed(definition: FlowDefinition): string[] {
  return usesOf(definition).conditions.flatMap(({ screen, condition }) => {
    const compiled = compileCondition(condition)
    const made = compiled instanceof Slip ? [] : compiled.made
    return made.some(({ node }) => nodesOf(node).some(isOfMoment)) ? [screen] : []
  })
}

function isOfMoment(node: Node): boolean {
  if (node.is !== 'compare') return false
  const inner = nodesOf(node)
  const paths = inner.filter(({ is }) => is === 'path').map((one) => (one as Node & { is: 'path' }).path)
  return paths.every((path) => path === 'now') && (paths.length > 0 || inner.some(isDay))
}

const line = (words: string, paths: readonly string[]) => more(words, paths, ' (expect does not say)')

function more(words: string, names: readonly string[], why = ''): string {
  const all = [...new Set(names)]
  if (all.length === 0) return ''
  const others = all.length > NAMED_MAX ? ` and ${all.length - NAMED_MAX} more` : ''
  return `${words} ${all.slice(0, NAMED_MAX).join(', ')}${others}${why}`
}

/** Every field that calls expect, with its path. */
function fieldsIn(definition: FlowDefinition) {
  return callsIn(definition).flatMap(([name, screen]) =>
    expectsOf(screen).flatMap((expect) =>
      Object.entries(expect).map(([field, wanted]) => ({
        path: `${keptAt(name, screen)}.${field}`,
        ...(typeof wanted === 'string' ? { is: wanted, min: undefined, max: undefined } : wanted),
      })),
    ),
  )
}

function longTexts(definition: FlowDefinition): string[] {
  const read = new Set(readsByScreen(definition).map(({ path }) => path))
  return fieldsIn(definition).flatMap(({ path, is, max }) =>
    is === 'text' && max === undefined && read.has(path) ? [path] : [],
  )
}

function manyRows(definition: FlowDefinition): string[] {
  const used = new Set(Object.values(definition.screens).flatMap((screen) => kindOf(screen).rows?.(screen)?.from ?? []))
  return fieldsIn(definition).flatMap(({ path, is, max }) =>
    is === 'rows' && max === undefined && used.has(path) ? [path] : [],
  )
}

function amounts(definition: FlowDefinition): string[] {
  const unbounded = new Set(
    fieldsIn(definition).flatMap(({ path, is, min }) =>
      (is === 'number' || is === 'money') && min === undefined ? [path] : [],
    ),
  )
  return usesOf(definition).values.flatMap(({ screen, place, value }) => {
    const call = callOf(definition.screens[screen])
    const path = wholePath(value)
    const reaches = place[2] === 'with' && call?.once
    return reaches && path !== undefined && unbounded.has(path) ? [path] : []
  })
}

/** Fields that the flow reads of answers, and that no `expect` names. */
function untyped(definition: FlowDefinition): string[] {
  const said = new Set(fieldsIn(definition).map(({ path }) => path))
  return readsByScreen(definition).flatMap(({ path }) => {
    const [root, name, field] = path.split('.')
    const kept = `data.${name}.${field}`
    return root === 'data' && field !== undefined && !said.has(kept) ? [kept] : []
  })
}
