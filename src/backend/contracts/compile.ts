/** Compiles a contract profile to functions: what to send, and what an answer means. */
import { createHash } from 'node:crypto'
import type { EndReason, Json, JsonObject } from '../../ussd/index.ts'
import { closingValues, fillTree, fillWords, contractText, contractValues } from './fill.ts'
import type { AskProfile, ContractProfile } from './profile.ts'
import { readReply } from './reply.ts'
import { toXml } from './xml-tree.ts'
import { writeCall } from './xmlrpc.ts'
import type { Contract, Outgoing } from './types.ts'

type Values = ReturnType<typeof contractValues>

/** The profile must be valid. */
export function compileContract(profile: ContractProfile): Contract {
  const begin = laid(profile.ask, profile.begin)
  const answer = laid(profile.ask, profile.answer)
  const { close, later } = profile
  return {
    name: profile.name,
    mark: createHash('sha256')
      .update(JSON.stringify([profile.name, profile.reply]))
      .digest('hex')
      .slice(0, 12),
    sources: profile.sources,
    closeTo: close?.to ?? 'app',
    ...(later
      ? {
          later: {
            field: later.field,
            id: (asked) => fillWords(later.id, contractValues(asked, profile.msisdn)),
            receipt: { status: later.receipt.status, body: JSON.stringify(fillTree(later.receipt.fields, {})) },
          },
        }
      : {}),
    ask: (asked) => outgoing(asked.sequence <= 1 ? begin : answer, contractValues(asked, profile.msisdn)),
    understand: (received, asked) => {
      const said = readReply(profile.reply, received)
      // An application may send its state once, and then expect it back each time.
      return { ...said, state: { ...asked.state, ...said.state } }
    },
    close: (closing) => {
      const word = close && wordFor(close, closing.reason)
      if (!close || word === undefined) return null
      return outgoing(
        { ...close, method: close.method ?? begin.method, format: close.format ?? begin.format },
        closingValues(closing, profile.msisdn, word),
      )
    },
  }
}

function wordFor(close: NonNullable<ContractProfile['close']>, reason: EndReason): string | undefined {
  if (!close.words) return close.otherwise ?? reason
  const found = Object.entries(close.words).find(([, reasons]) => reasons.includes(reason))
  return found?.[0] ?? close.otherwise
}

function laid(base: AskProfile, over: AskProfile | undefined): AskProfile {
  if (!over) return base
  return {
    ...base,
    ...over,
    fields: { ...base.fields, ...over.fields },
    headers: { ...base.headers, ...over.headers },
    integers: [...base.integers, ...over.integers],
  }
}

const DIGITS = /^\d{1,15}$/

function withIntegers(fields: JsonObject, integers: readonly string[]): JsonObject {
  const asInteger = (value: Json) =>
    typeof value === 'boolean' ? Number(value) : typeof value === 'string' && DIGITS.test(value) ? Number(value) : value
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]: [string, Json]) => [
      key,
      integers.includes(key) ? asInteger(value) : value,
    ]),
  )
}

function outgoing(ask: AskProfile, values: Values): Outgoing {
  const format = ask.format ?? 'json'
  const fields = withIntegers(fillTree(ask.fields, values) as JsonObject, ask.integers)
  const headers = Object.fromEntries(Object.entries(ask.headers).map(([key, text]) => [key, fillWords(text, values)]))
  const path = (ask.path ?? '').replace(/\{[^{}]*\}/g, (name) => encodeURIComponent(fillWords(name, values)))
  const method = ask.method ?? (format === 'query' ? 'GET' : 'POST')
  if (format === 'query') return { method, path, query: encoded(fields), headers, body: '' }
  const [type, write] = WRITTEN[format]
  return {
    method,
    path,
    query: '',
    headers: { 'content-type': type, ...headers },
    body: write(fields, ask.procedure ?? ''),
  }
}

const WRITTEN: Record<
  'form' | 'json' | 'xml' | 'xmlrpc',
  [type: string, write: (fields: JsonObject, procedure: string) => string]
> = {
  form: ['application/x-www-form-urlencoded', encoded],
  json: ['application/json', (fields) => JSON.stringify(fields)],
  xml: ['text/xml; charset=utf-8', toXml],
  xmlrpc: ['text/xml; charset=utf-8', (fields, procedure) => writeCall(procedure, fields)],
}

function encoded(fields: JsonObject): string {
  const pairs = Object.entries(fields).map(([key, value]: [string, Json]): [string, string] => [
    key,
    contractText(value),
  ])
  return new URLSearchParams(pairs).toString()
}
