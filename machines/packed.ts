/**
 * A dialogue at rest as it is stored: a list, in which a place has what a name has in the context. What is as in a new
 * dialogue is 0, and so is what its record says anyway; zeros at the end are left out. The names, and what stays as it
 * began, are half of its octets otherwise.
 */
import type { JsonObject } from '../src/ussd/index.ts'
import type { DialogueContext, Shown } from './dialogue.ts'

/** What a record says of its dialogue. */
export interface Recorded {
  msisdn: string
  code: string
  line: string
}

/** Names of the context that have a place. Others, which are rare, stand together in the last one. */
const PLACED: ReadonlySet<string> = new Set<keyof DialogueContext>([
  'msisdn',
  'code',
  'line',
  'language',
  'page',
  'now',
  'dialled',
  'answers',
  'chosen',
  'data',
  'vars',
  'shown',
  'notice',
  'wrong',
  'failed',
  'via',
  'origin',
  'resume',
])
/** `now` may be absent. */
const PLACED_MIN = PLACED.size - 1

type Zero<T> = T | 0
/** Those that are rarely anything else than 0 come last. */
type Packed = [
  value: string,
  language: string,
  septets: number,
  ucs2: number,
  now?: Zero<string>,
  /** 0: the screen itself. */
  origin?: Zero<string>,
  shown?: Zero<[at: Shown['at'], n: number, more: 0 | 1]>,
  vars?: Zero<JsonObject>,
  answers?: Zero<JsonObject>,
  chosen?: Zero<JsonObject>,
  data?: Zero<JsonObject>,
  wrong?: number,
  via?: Zero<string>,
  notice?: Zero<string>,
  dialled?: Zero<string[]>,
  failed?: 0 | 1,
  resume?: Zero<DialogueContext['resume']>,
  code?: Zero<string>,
  line?: Zero<string>,
  msisdn?: Zero<string>,
  rest?: Zero<JsonObject>,
]
/** What has no 0. */
const PACKED_MIN = 4

/** For JSON. What lacks one of these names, or is not a state with its context, stays as it is. */
export function packed(snapshot: JsonObject, recorded: Recorded): unknown {
  const { value, context } = snapshot as { value: unknown; context?: DialogueContext }
  if (typeof value !== 'string' || typeof context !== 'object' || context === null) return snapshot
  for (const key in snapshot) if (key !== 'value' && key !== 'context') return snapshot
  let rest: Zero<JsonObject> = 0
  let known = 0
  for (const key in context) {
    const it = context[key as keyof DialogueContext]
    if (PLACED.has(key)) known++
    else if (it !== undefined) (rest ||= {})[key] = it
  }
  if (known < PLACED_MIN || (known === PLACED_MIN && context.now !== undefined)) return snapshot
  const { page, shown } = context
  const placed: Packed = [
    value,
    context.language,
    page.septets,
    page.ucs2,
    context.now ?? 0,
    context.origin === value ? 0 : context.origin,
    shown === null ? 0 : [shown.at, shown.n, shown.more ? 1 : 0],
    ifAny(context.vars),
    ifAny(context.answers),
    ifAny(context.chosen),
    ifAny(context.data),
    context.wrong,
    context.via || 0,
    context.notice || 0,
    context.dialled.length === 0 ? 0 : context.dialled,
    context.failed ? 1 : 0,
    context.resume ?? 0,
    context.code === recorded.code ? 0 : context.code,
    context.line === recorded.line ? 0 : context.line,
    context.msisdn === recorded.msisdn ? 0 : context.msisdn,
    rest,
  ]
  return withoutZeros(placed, PACKED_MIN)
}

/** The same list, shorter by the zeros at its end; the first `min` stay. */
export function withoutZeros<T extends unknown[]>(list: T, min: number): T {
  let length: number = list.length
  while (length > min && list[length - 1] === 0) length--
  list.length = length
  return list
}

/** What was packed, as it was: of the same record. */
export function unpacked(stored: unknown, recorded: Recorded): JsonObject {
  if (!Array.isArray(stored)) return stored as JsonObject
  const list = stored as Packed
  const { 0: value, 1: language, 2: septets, 3: ucs2, 4: now = 0, 5: origin = 0, 6: shown = 0, 7: vars = 0 } = list
  const { 8: answers = 0, 9: chosen = 0, 10: data = 0, 11: wrong = 0, 12: via = 0, 13: notice = 0 } = list
  const { 14: dialled = 0, 15: failed = 0, 16: resume = 0 } = list
  const { 17: code = 0, 18: line = 0, 19: msisdn = 0, 20: rest = 0 } = list
  // One literal: what is put together of others takes several times its octets.
  const context: DialogueContext = {
    msisdn: msisdn === 0 ? recorded.msisdn : msisdn,
    code: code === 0 ? recorded.code : code,
    line: line === 0 ? recorded.line : line,
    language,
    page: { septets, ucs2 },
    dialled: dialled === 0 ? [] : dialled,
    answers: answers === 0 ? {} : answers,
    chosen: chosen === 0 ? {} : chosen,
    data: data === 0 ? {} : data,
    vars: vars === 0 ? {} : vars,
    shown: shown === 0 ? null : { at: shown[0], n: shown[1], more: shown[2] === 1 },
    notice: notice === 0 ? '' : notice,
    wrong,
    failed: failed === 1,
    via: via === 0 ? '' : via,
    origin: origin === 0 ? value : origin,
    resume: resume === 0 ? null : resume,
  }
  if (now !== 0) context.now = now
  if (rest !== 0) Object.assign(context, rest)
  return { value, context } as unknown as JsonObject
}

function ifAny(object: JsonObject): Zero<JsonObject> {
  for (const _ in object) return object
  return 0
}
