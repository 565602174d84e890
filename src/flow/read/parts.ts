/**
 * Screens from other files. A flow that includes or calls parts is turned into one flow without parts: each call gets
 * its own copy of the part's screens, such as `pay_sure` for the screen `sure` of the part that the screen `pay` calls.
 * So everything that works for a flow (check, exploring, deep dial, resume, the way back, revision) works through its
 * parts, and a dialogue needs no stack of calls.
 */
import { ProblemsError, type Problem, remedyAmong } from '../../base/index.ts'
import {
  type ExpectedType,
  type FlowDefinition,
  type FlowScreen,
  isOfType,
  type ReturnScreen,
  type Scalar,
  type ScreenDefinition,
  type WrittenScreen,
  typeFor,
  reachable,
  SCREENS_MAX,
  type Inside,
  type Path,
  type Yaml,
} from '../language/index.ts'
import { inPart, type Module } from './part-names.ts'
import { bySpoken, spoken, unspoken, type LanguageCalls } from './part-texts.ts'
import { typed, readingOf } from '../expression/index.ts'

/** How deep calls may be nested. Nobody can picture a deeper flow, and each call copies all screens below it. */
export const PARTS_DEEP_MAX = 5

export interface Laid {
  screens: Record<string, ScreenDefinition>
  /** `flows/parts/pay.yaml:12:7`: where the value at this path is, in whichever file. */
  at: Yaml['at']
  texts: FlowDefinition['texts']
  /** Points that are no errors but probably not meant. */
  doubts: Problem[]
}

/** Builds the flow with everything that it includes and calls. Throws ProblemsError with all problems. */
export function layParts(flow: Module, parts: ReadonlyMap<string, Module>): Laid {
  const laying: Laying = {
    flow,
    parts,
    screens: {},
    places: new Map(),
    problems: [],
    texts: { ...flow.texts },
    unnamed: new Map(),
    doubts: [],
  }
  layScope(flow, { prefix: '', trail: [], calls: 0 }, laying)
  const { screens, problems } = laying
  const many = Object.keys(screens).length
  if (many > SCREENS_MAX) {
    const what = `the flow has ${many} screens, those of its parts included`
    problems.push({ where: flow.yaml.at(['screens']), what, remedy: `use at most ${SCREENS_MAX}` })
  }
  if (problems.length > 0) throw new ProblemsError(`flow ${flow.file}`, problems)
  const taken = used(screens, laying)
  const doubts = [...laying.doubts, ...doubtsOf(taken, laying)]
  return { screens: taken, at: (path, inside) => placeOf(path, laying, inside), texts: laying.texts, doubts }
}

interface Laying {
  flow: Module
  parts: ReadonlyMap<string, Module>
  screens: Record<string, ScreenDefinition>
  /** Where each screen is written. */
  places: Map<string, { module: Module; name: string }>
  problems: Problem[]
  texts: FlowDefinition['texts']
  /** Keyed by the call: the screens that return to it with a name that the call does not list, and that name. */
  unnamed: Map<string, { where: string; to: string; returns: Map<string, string> }>
  doubts: Problem[]
}

/**
 * Warns if two returns of a part lead to the same screen because the call names neither: one of them is mostly a
 * refusal.
 */
function doubtsOf(taken: Record<string, ScreenDefinition>, { unnamed }: Laying): Problem[] {
  return [...unnamed].flatMap(([call, { where, to, returns }]) => {
    const names = [...new Set([...returns].flatMap(([screen, name]) => (Object.hasOwn(taken, screen) ? [name] : [])))]
    if (names.length < 2) return []
    const what = `screen '${call}' goes to '${to}' whether the part returns ${names.map((name) => `'${name}'`).join(' or ')}`
    return [{ where, what, remedy: `list all but one of them under exits: { ${names.at(-1)}: … }` }]
  })
}

/** One name space: the flow, or one call of a part. */
interface Scope {
  prefix: string
  /** The parts that are being called, outermost first. */
  trail: readonly string[]
  calls: number
  /** The screen that calls this part, with the prefix of its own name space. */
  caller?: { name: string; screen: FlowScreen; prefix: string; at: (path: Path) => string }
}

function layScope(module: Module, scope: Scope, laying: Laying): void {
  for (const each of withIncluded(module, laying)) {
    for (const [language, words] of Object.entries(each.texts))
      laying.texts[language] = { ...words, ...laying.texts[language] }
    for (const [name, screen] of Object.entries(each.screens)) layScreen({ module: each, name, screen }, scope, laying)
  }
}

/** The module and what it includes, each once. */
function withIncluded(module: Module, laying: Laying): Module[] {
  const all: Module[] = []
  const add = (each: Module, trail: readonly Module[]) => {
    if (trail.includes(each)) {
      const round = [...trail.slice(trail.indexOf(each)), each].map(({ name }) => name).join(' > ')
      return void laying.problems.push({
        where: each.yaml.at(['include']),
        what: `parts include each other in a circle: ${round}`,
      })
    }
    if (all.includes(each)) return
    all.push(each)
    each.include.forEach((name, i) => {
      const part = partOf(name, each.yaml.at(['include', i]), laying)
      if (part) add(part, [...trail, each])
    })
  }
  add(module, [])
  return all
}

function partOf(name: string, where: string, { parts, problems }: Laying): Module | undefined {
  const part = parts.get(name)
  const remedy = `${remedyAmong(name, parts.keys())}; the part would be the file parts/${name}.yaml`
  if (!part) problems.push({ where, what: `there is no part '${name}'`, remedy })
  return part
}

interface Written {
  module: Module
  name: string
  screen: WrittenScreen
}

function layScreen({ module, name, screen }: Written, scope: Scope, laying: Laying): void {
  const full = scope.prefix + name
  const where = module.yaml.at(['screens', name])
  const there = laying.places.get(full)
  if (there) {
    const what = `two screens are called '${name}': the other is at ${there.module.yaml.at(['screens', there.name])}`
    return void laying.problems.push({ where, what, remedy: 'rename one of them' })
  }
  laying.places.set(full, { module, name })
  const said = screen.kind === 'flow' ? spoken(screen, laying.flow.languages) : undefined
  if (said) return laySpoken({ module, name, screen: screen as FlowScreen }, said, scope, laying)
  const renamed = inPart(name, screen, { module, prefix: scope.prefix, languages: laying.flow.languages })
  if (renamed.kind === 'flow') laying.screens[full] = layCall({ module, name, screen: renamed }, scope, laying)
  else if (renamed.kind === 'return') laying.screens[full] = layReturn({ module, name, screen: renamed }, scope, laying)
  else laying.screens[full] = renamed
}

/** A call with texts in several languages sets those of the dialogue's language. The part's screens are copied once. */
function laySpoken(
  { module, name, screen }: Written & { screen: FlowScreen },
  said: LanguageCalls,
  scope: Scope,
  laying: Laying,
): void {
  const full = scope.prefix + name
  const { languages } = laying.flow
  const to = (language: string) => (languages.length === 1 ? full : `${full}__${language}`)
  let laid: ScreenDefinition | undefined
  for (const { language, screen: own } of said) {
    const call = inPart(name, own, { module, prefix: scope.prefix, languages }) as FlowScreen
    const others = laid && ({ ...laid, ...setting(full, call.with) } as ScreenDefinition)
    laid = others ?? layCall({ module, name, screen: call }, scope, laying)
    laying.screens[to(language)] = laid
    laying.places.set(to(language), { module, name })
  }
  if (languages.length > 1) laying.screens[full] = bySpoken(languages, to)
  for (const { key, language } of unspoken(screen, languages)) {
    const where = module.yaml.at(['screens', name, 'with', key])
    const what = `screen '${full}': no text in '${language}' for '${key}'`
    laying.doubts.push({ where, what, remedy: 'the part gets the text of the first language: translate it' })
  }
}

/** What the part that this screen calls finds in `vars`. */
function setting(full: string, values: FlowScreen['with']) {
  return { set: Object.fromEntries(Object.entries(values ?? {}).map(([key, value]) => [`${full}_${key}`, value])) }
}

/** Replaces the call by a screen that sets the part's parameters, and adds the part's screens behind it. */
function layCall(
  { module, name, screen }: Written & { screen: FlowScreen },
  scope: Scope,
  laying: Laying,
): ScreenDefinition {
  const at = (path: Path) => module.yaml.at(['screens', name, ...path])
  const full = scope.prefix + name
  const set = (start: string, values: FlowScreen['with']): ScreenDefinition => ({
    kind: 'set',
    to: start,
    clears: `${full}_`,
    ...setting(full, values),
  })
  const say = (path: Path, what: string, remedy?: string) =>
    void laying.problems.push({
      where: at(path),
      what: `screen '${full}' ${what}`,
      ...(remedy === undefined ? {} : { remedy }),
    })
  const part = partOf(screen.flow, at(['flow']), laying)
  if (!part) return set(screen.to, {})
  const trail = [...scope.trail, part.name]
  if (scope.trail.includes(part.name)) say(['flow'], `calls '${part.name}' in a circle: ${trail.join(' > ')}`)
  else if (scope.calls >= PARTS_DEEP_MAX)
    say(['flow'], `calls parts more than ${PARTS_DEEP_MAX} deep: ${trail.join(' > ')}`)
  else if (part.start === undefined)
    say(['flow'], `calls part '${part.name}', which has no start:`, 'add start: to the part, or include it')
  else {
    checkCall(screen, part, say, returnsOf(part, laying))
    const caller = { name: full, screen, prefix: scope.prefix, at }
    layScope(part, { prefix: `${full}_`, trail, calls: scope.calls + 1, caller }, laying)
  }
  return set(`${full}_${part.start ?? ''}`, screen.with)
}

type Say = (path: Path, what: string, remedy?: string) => void

function checkCall(screen: FlowScreen, part: Module, say: Say, returns: readonly ReturnScreen[]): void {
  const takes = Object.keys(part.takes)
  for (const [name, value] of Object.entries(screen.with ?? {})) {
    const type = part.takes[name]
    if (type === undefined)
      say(['with', name], `passes '${name}' to part '${part.name}', which does not take it`, remedyAmong(name, takes))
    else if (isWrong(value, type))
      say(
        ['with', name],
        `passes ${JSON.stringify(value)} as '${name}' to part '${part.name}', which takes ${type === 'money' ? type : `a ${type}`} there`,
      )
  }
  for (const name of takes)
    if (!Object.hasOwn(screen.with ?? {}, name))
      say([], `calls part '${part.name}' without '${name}'`, `add with: { ${name}: … }`)
  const exits = [...new Set(returns.map((each) => each.return))]
  for (const exit of Object.keys(screen.exits ?? {}))
    if (!exits.includes(exit))
      say(['exits', exit], `: part '${part.name}' never returns '${exit}'`, remedyAmong(exit, exits))
  const given = [...new Set(returns.flatMap((each) => Object.keys(each.give ?? {})))]
  for (const [name, from] of Object.entries(screen.gives ?? {}))
    if (!given.includes(from))
      say(['gives', name], `: part '${part.name}' never gives '${from}'`, remedyAmong(from, given))
}

/**
 * Whether a value has a wrong type. A literal can be checked if it has no path; an expression, if its type does not
 * depend on what it reads.
 */
function isWrong(value: Scalar, takes: ExpectedType): boolean {
  const type = typeFor(takes)
  const reading = readingOf(value)
  if (reading) {
    const is = typed(reading.node, { source: String(value), typeOf: () => undefined, found: () => undefined })
    return type !== undefined && is !== undefined && is !== type && !(type === 'date' && is === 'text')
  }
  if (type === undefined || (typeof value === 'string' && value.includes('{'))) return false
  return type === 'rows' || !isOfType(takes, value)
}

function returnsOf(part: Module, laying: Laying): ReturnScreen[] {
  const quiet = { ...laying, problems: [] }
  return withIncluded(part, quiet).flatMap(({ screens }) =>
    Object.values(screens).filter((screen): screen is ReturnScreen => screen.kind === 'return'),
  )
}

/** Replaces a return by a screen that sets the values that the caller wants and leads where the caller says. */
function layReturn(written: Written & { screen: ReturnScreen }, scope: Scope, laying: Laying): ScreenDefinition {
  const { module, name, screen } = written
  const { caller } = scope
  if (!caller) {
    const remedy = 'return works only in parts: end the dialogue, or lead to another screen'
    const what = `screen '${name}' has return:, but no flow called this file as a part`
    laying.problems.push({ where: module.yaml.at(['screens', name]), what, remedy })
    return { kind: 'exit', exit: true }
  }
  const { to, exits } = caller.screen
  if (exits?.[screen.return] === undefined) {
    const call = laying.unnamed.get(caller.name) ?? { where: caller.at([]), to, returns: new Map<string, string>() }
    laying.unnamed.set(caller.name, call)
    call.returns.set(scope.prefix + name, screen.return)
  }
  const wanted = Object.entries(caller.screen.gives ?? {})
  return {
    kind: 'set',
    set: Object.fromEntries(wanted.map(([into, from]) => [caller.prefix + into, screen.give?.[from] ?? null])),
    to: exits?.[screen.return] ?? to,
  }
}

/**
 * The flow's own screens, and the screens of parts that something leads to: a flow takes from a part only what it
 * needs.
 */
function used(screens: Record<string, ScreenDefinition>, { flow, places }: Laying): Record<string, ScreenDefinition> {
  const own = (name: string) => places.get(name)?.module === flow
  const starts = Object.keys(screens).filter(own)
  const reached = new Set(starts.flatMap((start) => [...reachable({ screens, start })]))
  return Object.fromEntries(Object.entries(screens).filter(([name]) => reached.has(name)))
}

function placeOf(path: Path, { flow, places }: Laying, inside?: Inside): string {
  const there = path[0] === 'screens' ? places.get(String(path[1])) : undefined
  return there ? there.module.yaml.at(['screens', there.name, ...path.slice(2)], inside) : flow.yaml.at(path, inside)
}
