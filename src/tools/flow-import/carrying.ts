/** What is known while a journey is imported: names, where each session key is kept, what back ends must offer. */
import type { Scalar } from '../../flow/language/index.ts'
import type { Journey, JourneyScreen, JourneyNode } from './journey.ts'

/** A difference between the flow and the journey. `lost`: nothing replaces it. */
export interface Remark {
  where: string
  what: string
  remedy: string
  lost: boolean
}

/** An operation that the named back end must offer. */
export interface Operation {
  name: string
  where: string
  /** What it did in the journey: `POST https://…`, a dotted function, expressions. */
  does: string[]
  args: Record<string, Scalar>
  /** The fields of its answer that the flow reads. */
  fields: Map<string, 'any' | 'rows' | 'boolean'>
}

/** Names with a meaning on one screen: a row of its list, its own answer, or a known value. */
export type Locals = Record<string, { path: string } | { value: unknown }>

export interface Carrying {
  journey: Journey
  backend: string
  languages: string[]
  screens: Record<string, JourneyNode>
  remarks: Remark[]
  operations: Map<string, Operation>
  /** Session key → where the flow keeps its value. */
  keys: Map<string, string>
  /** Keys that several kinds of screens write. Each write is copied to `vars`. */
  copied: Set<string>
  constants: Locals
  /** The name of the flow's screen for a screen of the journey; `menu#next` is an additional one. */
  nameOf: (written: string) => string
  keyName: (key: string) => string
}

const FIXED: Record<string, string> = {
  phone_number: 'msisdn',
  service_code: 'code',
  language: 'language',
  now: 'now',
}

/** What an operation does that was a Python function. */
export const OF_FUNCTION = 'the function '

/** Written like this, it names the screen and the operation that answer what nothing in the journey sets. */
export const SESSION = '#session'

/** Makes names for the flow out of names of the journey. Two names never become the same. */
export function naming(): (written: string) => string {
  const given = new Map<string, string>()
  const taken = new Set<string>()
  return (written) => {
    const known = given.get(written)
    if (known !== undefined) return known
    const plain =
      written
        .replace(/([a-z])([A-Z])/g, '$1-$2')
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')
        .replace(/^-|-$/g, '') || 'it'
    const base = /^[a-z]/.test(plain) ? plain : `s-${plain}`
    let name = base
    for (let n = 2; taken.has(name); n++) name = `${base}-${n}`
    taken.add(name)
    given.set(written, name)
    return name
  }
}

/** The name of an additional screen beside another one. */
export function besides({ carrying }: { carrying: Carrying }, name: string, what: string): string {
  return carrying.nameOf(`${name}#${what}`)
}

/** Where the flow keeps what the journey keeps under one key of its session. */
export function keysOf(journey: Journey, keyName: (key: string) => string): Pick<Carrying, 'keys' | 'copied'> {
  const places = new Map<string, Set<string>>()
  const note = (key: unknown, root: string, rest = '') => {
    if (typeof key === 'string') places.set(key, (places.get(key) ?? new Set()).add(`${root}.${keyName(key)}${rest}`))
  }
  for (const { type, written } of journey.screens.values()) {
    if (type === 'input_screen' || type === 'custom_screen') note(written.input_identifier, 'answers')
    if (type === 'http_screen' || type === 'function_screen') note(written.session_key, 'data')
    const items = written.items as JourneyNode | undefined
    if (type === 'menu_screen' && items) {
      const isWritten = typeof (items.with_items ?? items.with_dict) !== 'string'
      note(items.session_key, isWritten ? 'vars' : 'chosen', isWritten ? '' : fieldOf(items.value))
    }
    if (type === 'update_session_screen') for (const { key } of listOf(written.values_to_update)) note(key, 'vars')
  }
  for (const key of Object.keys((journey.settings?.written.create_ussd_variables ?? {}) as JourneyNode))
    note(key, 'vars')
  const copied = new Set([...places].filter(([, found]) => found.size > 1).map(([key]) => key))
  const keys = new Map(
    [...places].map(([key, found]) => [key, copied.has(key) ? `vars.${keyName(key)}` : [...found][0]!]),
  )
  return { copied, keys }
}

/** `.id` of `{{ item.id }}`: the field of the row that is the value. */
export function fieldOf(value: unknown): string {
  const found = /^\s*\{\{\s*(item|key|value)((?:\.\w+)*)\s*\}\}\s*$/.exec(String(value))
  return !found ? '' : found[1] === 'item' ? found[2]! : `.${found[1]}${found[2]}`
}

export function listOf(written: unknown): JourneyNode[] {
  return Array.isArray(written) ? (written as JourneyNode[]) : []
}

/** What a name of the journey means here. Undefined: it does not exist. Records what a back end must answer. */
export function resolve(parts: readonly string[], carrying: Carrying, locals: Locals = {}): Locals[string] | undefined {
  const skipped = parts[0] !== 'ussd_request' ? 0 : parts[1] === 'session' ? 2 : 1
  const [first = '', ...rest] = parts.slice(skipped)
  const local = [locals, carrying.constants].find((some) => Object.hasOwn(some, first))?.[first]
  if (local && 'path' in local) return { path: [local.path, ...rest].join('.') }
  if (local)
    return {
      value: rest.reduce<unknown>((value, key) => (value as JourneyNode | null | undefined)?.[key], local.value),
    }
  if (Object.hasOwn(FIXED, first)) return { path: FIXED[first]! }
  if (first === 'session_id' || first === '') return undefined
  const place = carrying.keys.get(first)
  if (place === undefined) {
    const session = carrying.nameOf(SESSION)
    operation(carrying, session, {
      where: carrying.journey.file,
      does: 'the values that the journey finds in its session',
    }).fields.set(first, 'any')
    return { path: ['data', session, first, ...rest].join('.') }
  }
  if (!place.startsWith('data.')) return { path: [place, ...rest].join('.') }
  const fields = rest.length > 0 ? rest : ['value']
  for (const one of carrying.operations.values())
    if (one.name === answerOf(place, carrying)) one.fields.set(fields[0]!, 'any')
  return { path: [place, ...fields].join('.') }
}

/** The operation whose answer is kept at this place. */
export function answerOf(place: string, { journey, nameOf, keys }: Carrying): string | undefined {
  const screen = [...journey.screens.values()].find(
    ({ type, written }) =>
      (type === 'http_screen' || type === 'function_screen') && keys.get(String(written.session_key)) === place,
  )
  return screen && nameOf(screen.name)
}

/** The operation with this name; the flow needs it from now on. */
export function operation(carrying: Carrying, name: string, of: { where: string; does: string }): Operation {
  const known: Operation = carrying.operations.get(name) ?? {
    name,
    where: of.where,
    does: [],
    args: {},
    fields: new Map(),
  }
  if (!known.does.includes(of.does)) known.does.push(of.does)
  carrying.operations.set(name, known)
  return known
}

export function remark(carrying: Carrying, screen: JourneyScreen, key: string, said: Omit<Remark, 'where'>): void {
  carrying.remarks.push({ where: screen.at(key), ...said })
}

/** A dialogue cannot see the daemon's environment; in ussd-engine it could. */
export const isEnvironment = (word: string) => /^[A-Z][A-Z0-9_]{2,}$/.test(word)
