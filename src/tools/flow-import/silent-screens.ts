/** The screens of a journey that call, compute or set something. */
import type { Scalar } from '../../flow/language/index.ts'
import { besides, isEnvironment, listOf, OF_FUNCTION, operation, remark } from './carrying.ts'
import type { JourneyNode } from './journey.ts'
import { keep, nextOf, putScreen } from './ways.ts'
import { conditionOf, journeyText, valueIn, type ScreenDraft } from './words.ts'

/** http_screen and function_screen: an operation of the back end. */
export function callScreen(draft: ScreenDraft): void {
  const { carrying, screen, name } = draft
  const { written } = screen
  const key = String(written.session_key ?? screen.name)
  const request = written.http_request as JourneyNode | undefined
  const method = String(request?.method ?? 'get').toUpperCase()
  const does = request ? `${method} ${String(request.url)}` : `${OF_FUNCTION}${String(written.function)}`
  const told = [...carrying.keys]
    .filter(([, path]) => /^(?:answers|vars)\./.test(path))
    .map(([word, path]) => [word, `{${path}}`] as const)
  const args = request ? requestArgs(draft, request) : Object.fromEntries(told)
  const op = operation(carrying, name, { where: screen.at(), does })
  Object.assign(op.args, args)
  if (!request) {
    const what = `the function ${String(written.function)} sees the whole session`
    const remedy = `${carrying.backend}.${name} gets all answers; remove those that it does not need, and write once: false where it only reads`
    remark(carrying, screen, 'function', { what, remedy, lost: false })
  }
  if (written.synchronous === true) {
    const what = 'the journey queued this request; the flow makes it while the subscriber waits'
    remark(carrying, screen, 'synchronous', {
      what,
      remedy: 'let the back end accept it and answer at once',
      lost: false,
    })
  }
  const timeout = Number(request?.timeout)
  const to = nextOf(draft)
  const as = carrying.keyName(key)
  carrying.screens[name] = {
    call: `${carrying.backend}.${name}`,
    with: op.args,
    as,
    ...(request ? { once: method !== 'GET' } : {}),
    ...(timeout > 0 ? { timeoutMs: Math.min(60_000, Math.max(100, timeout * 1000)) } : {}),
    to: keep(draft, key, `data.${as}`, to),
  }
}

const OF_BACKEND = ['headers', 'auth', 'verify', 'cert', 'cookies', 'proxies']

function requestArgs(draft: ScreenDraft, request: JourneyNode): Record<string, Scalar> {
  const { carrying, screen, name } = draft
  const args: Record<string, Scalar> = {}
  const parts = ['params', 'data', 'json']
    .map((part) => request[part])
    .filter((part) => part !== null && typeof part === 'object')
  const body = Object.assign({}, ...parts) as JourneyNode
  const ours = (word: string) => {
    const remedy = `set the address and the tokens of back end '${carrying.backend}' in the settings, which can read the environment`
    remark(carrying, screen, 'http_request', {
      what: `${word} comes from the environment, and is not passed on`,
      remedy,
      lost: false,
    })
  }
  for (const [word, written] of Object.entries(body)) {
    const variable = /\{\{\s*(\w+)/.exec(String(written))?.[1]
    if (variable !== undefined && isEnvironment(variable)) {
      ours(variable)
      continue
    }
    const value = valueIn(written, draft)
    if (value !== undefined) args[word] = value
    else {
      const remedy = `${carrying.backend}.${name} must compute it itself (each call has the id of the dialogue)`
      const lost = !String(written).includes('session_id')
      remark(carrying, screen, 'http_request', { what: `the argument '${word}' is not a simple value`, remedy, lost })
    }
  }
  for (const [, word] of String(request.url).matchAll(/\{\{\s*(\w+)/g)) {
    const value = isEnvironment(word!) ? ours(word!) : valueIn(`{{${word}}}`, draft)
    if (value !== undefined) args[word!] = value
  }
  for (const [, word] of JSON.stringify(OF_BACKEND.map((part) => request[part])).matchAll(
    /\{\{\s*([A-Z][A-Z0-9_]{2,})\b/g,
  ))
    ours(word!)
  const kept = OF_BACKEND.filter((part) => part in request)
  if (kept.length) {
    const remedy = `move them to the back end '${carrying.backend}' in the settings`
    remark(carrying, screen, 'http_request', {
      what: `${kept.join(', ')} of the request are not in the flow`,
      remedy,
      lost: false,
    })
  }
  return args
}

/** Sets values one after the other. If one of them must be computed, the whole screen becomes an operation. */
export function updateScreen(draft: ScreenDraft): void {
  const { carrying, screen, name } = draft
  const { written } = screen
  const updates = listOf(written.values_to_update)
  const to = nextOf(draft)
  const values = updates.map(({ value }) => valueIn(value, draft))
  if (written.with_items !== undefined || values.includes(undefined)) return workedOut(draft, updates, to)
  let next = to
  for (const [i, update] of [...updates.entries()].toReversed()) {
    const own: ScreenDraft = { ...draft, name: i === 0 ? name : besides(draft, name, String(i + 1)) }
    const set = { set: { [variable(draft, update.key)]: values[i] }, to: next }
    const condition = update.expression === undefined ? true : conditionOf(update.expression, own, 'values_to_update')
    if (condition === true) putScreen(own, set)
    else if (condition === false) putScreen(own, { set: { passed: true }, to: next })
    else {
      carrying.screens[besides(draft, own.name, 'set')] = set
      putScreen(own, { branch: [{ if: condition, to: besides(draft, own.name, 'set') }], else: next })
    }
    next = own.name
  }
}

const variable = ({ carrying }: ScreenDraft, key: unknown) =>
  key === 'override_language' ? 'language' : carrying.keyName(String(key))

function workedOut(draft: ScreenDraft, updates: readonly JourneyNode[], to: string): void {
  const { carrying, screen, name } = draft
  const words = [...new Set(updates.map(({ key }) => String(key)))]
  const op = operation(carrying, name, { where: screen.at('values_to_update'), does: `works out ${words.join(', ')}` })
  for (const word of words) op.fields.set(word, 'any')
  for (const word of JSON.stringify(screen.written).match(/[A-Za-z_]\w*/g) ?? []) {
    const path = carrying.keys.get(word)
    if (path !== undefined && !words.includes(word)) op.args[word] = `{${path}}`
  }
  const remedy = `${carrying.backend}.${name} must answer ${words.join(', ')}`
  remark(carrying, screen, 'values_to_update', {
    what: 'the value to set is computed from lists or filters',
    remedy,
    lost: false,
  })
  const set = Object.fromEntries(words.map((word) => [variable(draft, word), `{data.${name}.${word}}`]))
  carrying.screens[besides(draft, name, 'set')] = { set, to }
  const expect = Object.fromEntries(op.fields)
  carrying.screens[name] = {
    call: `${carrying.backend}.${name}`,
    with: op.args,
    expect,
    to: besides(draft, name, 'set'),
  }
}

/** A screen in Python: the back end is asked for its text. What it does with the answer is not imported. */
export function customScreen(draft: ScreenDraft): void {
  const { carrying, screen, name } = draft
  const { written } = screen
  const what = `the class ${String(written.screen_obj)} is a program`
  const remedy = `${carrying.backend}.${name} answers its text; write what it did with the answer as screens`
  remark(carrying, screen, 'screen_obj', { what, remedy, lost: true })
  const op = operation(carrying, name, {
    where: screen.at('screen_obj'),
    does: `the text of ${String(written.screen_obj)}`,
  })
  op.fields.set('text', 'any')
  const text = journeyText(`{{custom_text}}`, { ...draft, locals: { custom_text: { path: `data.${name}.text` } } })
  if (typeof written.next_screen !== 'string' || written.input_identifier === undefined)
    return putScreen(draft, { end: text })
  const key = String(written.input_identifier)
  const as = carrying.keyName(key)
  putScreen(draft, { input: text, as, to: keep(draft, key, `answers.${as}`, carrying.nameOf(written.next_screen)) })
}
