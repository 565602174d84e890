/**
 * Limits how much of an answer reaches a flow, for every kind of back end. The answer is cut before any search for
 * lines, clusters or digits, because such a search takes longer for a longer text.
 */
import type { Json, JsonObject } from '../ussd/index.ts'
import { Nonsense, ANSWER_OCTETS_MAX } from './body.ts'
import type { CallResult } from './types.ts'

/** The most UTF-16 units of one text: more than twenty pages of a handset, and enough for a token or an address. */
export const TEXT_UNITS_MAX = 4_096
/** The most units of all texts and names of an answer together. Over HTTP, `octetsMax` takes its place. */
export const ANSWER_UNITS_MAX = ANSWER_OCTETS_MAX
/** How deep lists and objects may be nested. A flow reads four levels. */
export const DEPTH_MAX = 32

interface Walk {
  units: number
  /** How many texts were cut. */
  cut: number
  unitsMax: number
}

/** The result with its texts cut, and how many were cut. Throws Nonsense if it is too large as a whole, or too deep. */
export function bounded(result: CallResult, unitsMax = ANSWER_UNITS_MAX): { result: CallResult; cut: number } {
  if (result.is === 'failed' || result.data === undefined) return { result, cut: 0 }
  const walk = { units: 0, cut: 0, unitsMax }
  const data = within(result.data, walk, 0)
  return { result: data === result.data ? result : { ...result, data }, cut: walk.cut }
}

/** Returns the same value if nothing changed: a module may keep using it. */
function within(value: Json, walk: Walk, depth: number): Json {
  if (typeof value === 'string') return ofText(value, walk)
  if (value === null || typeof value !== 'object') return value
  if (depth >= DEPTH_MAX) throw new Nonsense(`the answer nests more than ${DEPTH_MAX} deep`)
  if (Array.isArray(value)) return ofList(value, walk, depth + 1)
  return ofObject(value, walk, depth + 1)
}

function ofText(text: string, walk: Walk): string {
  count(text, walk)
  if (text.length <= TEXT_UNITS_MAX) return whole(text)
  walk.cut++
  const isSplit = (text.charCodeAt(TEXT_UNITS_MAX - 1) & 0xfc00) === 0xd800
  return whole(text.slice(0, isSplit ? TEXT_UNITS_MAX - 1 : TEXT_UNITS_MAX))
}

/** Half a surrogate pair shows nothing, and JSON writes it slowly, as six octets. */
function whole(text: string): string {
  return text.replace(HALVES, '\ufffd')
}

const HALVES = /\p{Cs}+/gu

function ofList(list: Json[], walk: Walk, depth: number): Json[] {
  let kept: Json[] | undefined
  for (let i = 0; i < list.length; i++) {
    const inner = within(list[i]!, walk, depth)
    if (inner === list[i]) continue
    kept ??= [...list]
    kept[i] = inner
  }
  return kept ?? list
}

function ofObject(object: JsonObject, walk: Walk, depth: number): JsonObject {
  let kept: JsonObject | undefined
  for (const name of Object.keys(object)) {
    count(name, walk)
    const inner = within(object[name]!, walk, depth)
    if (inner === object[name]) continue
    kept ??= { ...object }
    kept[name] = inner
  }
  return kept ?? object
}

function count(text: string, walk: Walk): void {
  walk.units += text.length
  if (walk.units > walk.unitsMax)
    throw new Nonsense(`the texts of the answer have more than ${walk.unitsMax} characters`)
}
