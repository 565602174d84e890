/** The values for a contract's fields. */
import type { EndReason, Json } from '../../ussd/index.ts'
import type { Filled } from './profile.ts'
import type { Asked, Closing } from './types.ts'

type Values = Record<string, Json | undefined>

export const END_REASONS = [
  'completed',
  'exit',
  'subscriber-abort',
  'network-abort',
  'idle',
  'total',
  'backend-failed',
  'store-failed',
  'bind-lost',
  'refused',
  'superseded',
  'overload',
  'too-many-wrong',
  'flow-gone',
  'failed',
  'drained',
  'operator',
  'recalled',
  'answer-later',
] as const satisfies readonly EndReason[]

/** The names that may be in braces. */
export const NAMES: ReadonlySet<string> = new Set([
  'session',
  'msisdn',
  'network',
  'language',
  'line',
  'id',
  // The time: 2026-11-30T08:00:00.000Z; in milliseconds and in seconds since 1970; 2026-11-30 08:00:00, in UTC.
  'now',
  'nowMs',
  'nowSeconds',
  'nowPlain',
  'sequence',
  'first',
  'later',
  // What was dialled: `*384#`, `*384*1#`, and both without their marks: `384`, `384*1`.
  'serviceCode',
  'dialled',
  'bareServiceCode',
  'bareDialled',
  // Of `*203*109#` the last part, `109`; of what was dialled the part behind the code.
  'extension',
  'beyond',
  // The name of the account in the settings; without one, the same as bareServiceCode.
  'account',
  // Everything entered, joined by `*`; the newest answer; the newest answer, but at first the dialled string.
  'text',
  'input',
  'message',
  // Only at the end.
  'reason',
  'word',
  'turns',
  'durationMs',
  'lastText',
  'lastMark',
  'error',
])

/** `plus`: the number with its `+`. */
export function contractValues(asked: Asked, form: 'plain' | 'plus'): Values {
  const first = asked.sequence <= 1
  const [code, dialled] = [bare(asked.serviceCode), bare(asked.dialled)]
  const now = new Date(asked.nowMs).toISOString()
  return {
    session: asked.epoch,
    msisdn: form === 'plus' ? `+${asked.msisdn}` : asked.msisdn,
    network: asked.network,
    language: asked.language,
    line: asked.line,
    id: asked.intention,
    now,
    nowMs: asked.nowMs,
    nowSeconds: Math.floor(asked.nowMs / 1_000),
    nowPlain: now.slice(0, 19).replace('T', ' '),
    sequence: asked.sequence,
    first,
    later: !first,
    serviceCode: asked.serviceCode,
    dialled: asked.dialled,
    bareServiceCode: code,
    bareDialled: dialled,
    extension: code.slice(code.lastIndexOf('*') + 1),
    beyond: dialled.startsWith(`${code}*`) ? dialled.slice(code.length + 1) : '',
    account: asked.account ?? code,
    text: asked.text,
    input: asked.input,
    message: first ? asked.dialled : asked.input,
    state: asked.state,
  }
}

/** The same values, and those known at the end. `word` is the contract's word for the reason. */
export function closingValues(closing: Closing, form: 'plain' | 'plus', word: string): Values {
  const { reason, turns, durationMs, lastText, lastEnd } = closing
  const isGood = reason === 'completed' || reason === 'exit'
  return {
    ...contractValues(closing, form),
    reason,
    word,
    turns,
    durationMs,
    lastText,
    error: isGood ? '' : reason,
    lastMark: lastText === '' ? '' : lastEnd ? 'END' : 'CON',
  }
}

/** A tree of texts with its names filled in. An unknown name becomes an empty text. */
export function fillTree(tree: Filled, values: Values): Json {
  if (typeof tree === 'string') return fillText(tree, values)
  if (Array.isArray(tree)) return tree.map((item) => fillTree(item, values))
  if (tree === null || typeof tree !== 'object') return tree
  return Object.fromEntries(Object.entries(tree).map(([key, item]) => [key, fillTree(item, values)]))
}

/** The same as a text. */
export function fillWords(text: string, values: Values): string {
  return contractText(fillText(text, values))
}

/** In the form for a URL, a form or a text. */
export function contractText(value: Json): string {
  return value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const WHOLE = /^\{([^{}]*)\}$/
const PART = /\{([^{}]*)\}/g

function fillText(text: string, values: Values): Json {
  const whole = WHOLE.exec(text)?.[1]
  if (whole !== undefined) return lookUp(whole, values)
  return text.replace(PART, (_all, name: string) => contractText(lookUp(name, values)))
}

function lookUp(name: string, values: Values): Json {
  const [kind, key] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)]
  if (kind !== 'state' && kind !== 'chosen') return values[name] ?? ''
  const kept = own(values.state, key)
  if (kind === 'state') return kept
  // The value under `*` is for any other answer.
  return own(kept, String(values.input).trim()) || own(kept, '*')
}

function own(tree: Json | undefined, key: string): Json {
  if (tree === null || typeof tree !== 'object' || Array.isArray(tree)) return ''
  return Object.hasOwn(tree, key) ? (tree[key] ?? '') : ''
}

function bare(code: string): string {
  return code.replace(/^[*#]+|#+$/g, '')
}
