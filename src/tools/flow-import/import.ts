/**
 * Imports a journey of ussd-engine as a flow: its YAML text, and a report of what differs. What the journey computes in
 * Python or Jinja, and a flow cannot, becomes an operation of one named back end.
 */
import { Document, parse, visit } from 'yaml'
import {
  isEnvironment,
  keysOf,
  naming,
  OF_FUNCTION,
  SESSION,
  remark,
  type Carrying,
  type Locals,
  type Operation,
  type Remark,
} from './carrying.ts'
import { readJourney, type Journey, type JourneyScreen, type ReadBeside, type JourneyNode } from './journey.ts'
import { carryScreen } from './screens.ts'
import { asSecrets } from './secrets.ts'
import { tellUnread } from './unread.ts'
import { journeyText, valueIn, type ScreenDraft } from './words.ts'

export interface Imported {
  name: string
  /** The flow file. */
  text: string
  screens: number
  remarks: Remark[]
  operations: Operation[]
  backend: string
}

/** Throws ProblemsError if the file is not a journey. `beside` reads the files that it includes. */
export function importJourney(
  source: { file: string; text: string },
  named: { flow: string; backend?: string },
  beside: ReadBeside,
): Imported {
  const journey = readJourney(source.file, source.text, beside)
  const nameOf = naming()
  for (const name of journey.screens.keys()) nameOf(name)
  const flow = naming()(named.flow)
  const keyName = naming()
  const backend = named.backend ?? flow
  const carrying: Carrying = {
    journey,
    backend,
    nameOf,
    keyName,
    ...keysOf(journey, keyName),
    languages: languagesOf(journey),
    screens: {},
    remarks: [],
    operations: new Map(),
    constants: {},
  }
  for (const { type, name, at } of journey.screens.values()) {
    const called = { name: nameOf(name), where: at(), does: [], args: {}, fields: new Map() }
    if (type === 'http_screen' || type === 'function_screen') carrying.operations.set(called.name, called)
  }
  const texts = settingsOf(carrying, beside)
  for (const screen of journey.screens.values()) carryScreen(carrying, screen)
  const start = withSession(carrying, withVariables(carrying, nameOf(journey.start)))
  tellUnread(carrying)
  tidyCalls(carrying)
  const head = { flow, spec: 1, start, languages: carrying.languages, ...(Object.keys(texts).length ? { texts } : {}) }
  const definition = { ...head, screens: ordered(carrying, start) }
  asSecrets(carrying, definition)
  return {
    name: flow,
    backend,
    screens: journey.screens.size,
    remarks: carrying.remarks,
    operations: [...carrying.operations.values()],
    text: `# Imported from ${source.file.replace(/^.*[\\/]/, '')}, a journey of ussd-engine.\n${written(definition)}`,
  }
}

/** The report as lines: what differs, where, and what to do; then what the back end must offer. */
export function reportOf({ remarks, operations, backend, screens, name }: Imported): string[] {
  const lost = remarks.filter((one) => one.lost)
  const whole = lost.length === 0 ? 'all' : `${lost.length} thing${lost.length === 1 ? '' : 's'} not`
  const said = ({ where, what, remedy, lost: isLost }: Remark) =>
    `${isLost ? 'not carried' : 'changed'}  ${where}: ${what} (${remedy})`
  return [
    `flow '${name}': ${screens} screen${screens === 1 ? '' : 's'} of the journey, ${whole} fully imported`,
    ...[...lost, ...remarks.filter((one) => !one.lost)].map(said),
    ...(operations.length ? [`back end '${backend}' must offer`] : []),
    ...operations.map(({ name: op, args, fields, does, where }) => {
      const answer = [...fields].map(([field, is]) => (is === 'any' ? field : `${field}: ${is}`))
      return `  ${backend}.${op} {${Object.keys(args).join(', ')}} -> {${answer.join(', ')}}  ${where}: ${does.join('; ')}`
    }),
  ]
}

function languagesOf({ settings, screens }: Journey): string[] {
  const first = String(settings?.written.default_language ?? 'en')
  const found = new Set([first])
  for (const { written: block } of screens.values()) {
    for (const text of textsIn(block))
      for (const language of Object.keys(text)) if (language !== 'default') found.add(language)
  }
  return [...found]
}

const TEXTS = ['text', 'error_message', 'more_option', 'back_option']

function textsIn(block: unknown): JourneyNode[] {
  if (block === null || typeof block !== 'object') return []
  return Object.entries(block).flatMap(([key, value]: [string, unknown]) =>
    TEXTS.includes(key) && value !== null && typeof value === 'object' ? [value as JourneyNode] : textsIn(value),
  )
}

/**
 * The journey's own words in place of built-in texts. Other settings of the first block become constants or remarks.
 */
function settingsOf(carrying: Carrying, beside: ReadBeside): Record<string, Record<string, string>> {
  const texts: Record<string, Record<string, string>> = {}
  const say = (word: string, written: unknown, screen: JourneyScreen) => {
    const text = journeyText(written, { carrying, screen, name: word, locals: {} })
    for (const language of carrying.languages)
      (texts[language] ??= {})[word] = typeof text === 'string' ? text : text[language]!
  }
  const menus = [...carrying.journey.screens.values()].filter(
    ({ type, written: { error_message: own } }) => type === 'menu_screen' && own !== undefined,
  )
  const errors = new Map(menus.map((menu) => [JSON.stringify(menu.written.error_message), menu]))
  const [first, ...others] = errors.values()
  if (first) say('invalid', first.written.error_message, first)
  for (const menu of others) {
    const remedy = 'a flow has one such text for all screens: texts: { <language>: { invalid: … } }'
    remark(carrying, menu, 'error_message', {
      what: `screen '${menu.name}' has its own text for a wrong choice`,
      remedy,
      lost: true,
    })
  }
  const { settings } = carrying.journey
  if (!settings) return texts
  const blocks = settings.written as Record<string, JourneyNode | undefined>
  const { pagination_config: paging, variables, ussd_report_session: reports } = blocks
  if (paging?.more_option !== undefined) say('more', paging.more_option, settings)
  if (paging?.back_option !== undefined) say('back', paging.back_option, settings)
  if (variables) constantsOf(carrying, settings, variables, beside)
  const limit = paging?.ussd_text_limit ?? settings.written.ussd_text_limit
  if (limit !== undefined) {
    const at = paging?.ussd_text_limit === undefined ? 'ussd_text_limit' : 'pagination_config'
    const remedy = 'a page holds as much as the network carries: 182 septets, or 80 characters of other scripts'
    remark(carrying, settings, at, {
      what: `the page length of ${String(limit)} characters is ignored`,
      remedy,
      lost: false,
    })
  }
  if (reports) {
    const remedy = 'the daemon reports each dialogue that ends: see docs/OPERATIONS.md'
    remark(carrying, settings, 'ussd_report_session', {
      what: 'the flow does not report sessions',
      remedy,
      lost: false,
    })
  }
  return texts
}

function constantsOf(
  carrying: Carrying,
  settings: JourneyScreen,
  { file, namespace }: JourneyNode,
  beside: ReadBeside,
): void {
  try {
    const value: unknown = parse(beside(String(file), carrying.journey.file).text)
    Object.assign(carrying.constants, { [String(namespace)]: { value } } satisfies Locals)
  } catch {
    const remedy = `put the file beside the journey and import again; until then the flow asks ${carrying.backend} for them`
    remark(carrying, settings, 'variables', {
      what: `cannot read the variables of '${String(file)}'`,
      remedy,
      lost: true,
    })
  }
}

/** `create_ussd_variables`: set before the first screen. */
function withVariables(carrying: Carrying, start: string): string {
  const { settings } = carrying.journey
  const made = Object.entries((settings?.written.create_ussd_variables ?? {}) as JourneyNode)
  if (!settings || made.length === 0) return start
  const name = carrying.nameOf('initial_screen')
  const draft: ScreenDraft = { carrying, screen: settings, name, locals: {} }
  const set = made.flatMap(([key, written]) => {
    const value = valueIn(written, draft)
    if (value !== undefined) return [[carrying.keyName(key), value] as const]
    const remedy = 'add a set screen in front of the first screen'
    remark(carrying, settings, 'create_ussd_variables', {
      what: `the variable '${key}' is computed, so it was not imported`,
      remedy,
      lost: true,
    })
    return []
  })
  if (set.length === 0) return start
  carrying.screens[name] = { set: Object.fromEntries(set), to: start }
  return name
}

/** A value that nothing in the journey sets existed before it: a call asks for it first. */
function withSession(carrying: Carrying, start: string): string {
  const name = carrying.nameOf(SESSION)
  const session = carrying.operations.get(name)
  if (!session) return start
  carrying.screens[name] = { call: `${carrying.backend}.${name}`, to: start }
  const all = [...session.fields.keys()]
  const remedy = `${carrying.backend}.${name} must answer it`
  const words = all.filter((word) => !isEnvironment(word)).join(', ')
  const what = `nothing in the journey sets ${words}`
  if (words) carrying.remarks.push({ where: `${carrying.journey.file}:1`, what, remedy, lost: false })
  for (const word of all.filter(isEnvironment)) {
    const screen = [...carrying.journey.screens.values()].find(({ written: said }) =>
      JSON.stringify(said).includes(word),
    )
    carrying.remarks.push({
      where: screen?.at() ?? carrying.journey.file,
      what: `${word} comes from the environment`,
      remedy,
      lost: false,
    })
  }
  return name
}

/**
 * A field that is missing in an answer is empty, as in the journey. So calls do not expect fields. What Jinja computed
 * changes nothing; of a function nobody knows, so `check` asks.
 */
function tidyCalls({ screens, operations, backend }: Carrying): void {
  for (const screen of Object.values(screens)) {
    if (typeof screen.call !== 'string') continue
    const op = operations.get(screen.call.slice(backend.length + 1))
    if (!op) continue
    if (screen.once === undefined && !op.does.some((one) => one.startsWith(OF_FUNCTION))) screen.once = false
    if (Object.keys(op.args).length === 0) delete screen.with
  }
}

/** In the order of the journey, each screen with the additional ones beside it. */
function ordered({ screens, journey, nameOf }: Carrying, start: string): JourneyNode {
  const rank = new Map([...journey.screens.keys()].map((name, i) => [nameOf(name), i + 1]))
  const rankOf = (name: string) => {
    const own = [...rank]
      .filter(([base]) => name === base || name.startsWith(`${base}-`))
      .toSorted(([a], [b]) => b.length - a.length)[0]
    return name === start ? 0 : (own?.[1] ?? rank.size + 1)
  }
  const isOwn = (name: string) => Number(rank.has(name))
  return Object.fromEntries(
    Object.entries(screens).toSorted(([a], [b]) => rankOf(a) - rankOf(b) || isOwn(b) - isOwn(a)),
  )
}

/** What fits is written on one line: `{ en: Back, sw: Rudi }`. */
const LINE_MAX = 120
const DEPTH_OF_SCREEN = 6

function written(definition: object): string {
  const document = new Document(definition)
  visit(document, {
    Map: (_key, map, path) => {
      const short = JSON.stringify(map).length < LINE_MAX && !JSON.stringify(map).includes('\\n')
      if (path.length > DEPTH_OF_SCREEN && short) map.flow = true
    },
  })
  return document.toString({ lineWidth: 0 })
}
