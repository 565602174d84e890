/** Talks: written conversations that test a flow. This file reads them; player.ts plays them. */
import { ProblemsError, type Problem, remedyAmong } from '../../base/index.ts'
import type { Json } from '../../ussd/index.ts'

/** One line, or one block of `<` lines, of a talk. */
export type TalkStep = { line: number } & (
  | { do: 'dial'; code: string }
  | { do: 'expect'; text: string }
  | { do: 'answer'; text: string }
  /** `again`: what it answers to the next call in the same turn. */
  | { do: 'stub'; operation: string; outcome: Stub; again?: true }
  | { do: 'called'; operation: string; args: Json | undefined }
  | { do: 'language'; language: string }
  | { do: 'msisdn'; msisdn: string }
  | { do: 'code'; code: string }
  | { do: 'now'; now: string }
  | { do: 'sms'; text: string }
  /** The subscriber writes an SMS of this word, which starts the flow. */
  | { do: 'write'; text: string }
  | { do: 'ended'; reason: string | undefined }
  | { do: 'hang-up' | 'lost' | 'ack' }
)

/** What a back end answers in a talk. */
export type Stub =
  | { is: 'data'; data: Json }
  | { is: 'refused'; refusal: string; data: Json }
  | { is: 'failed'; why: 'late' | 'down' | 'nonsense' | 'refused-call' }

export interface Talk {
  file: string
  title: string
  /** The flow that the talk tests; '' if the file does not say. */
  flow: string
  steps: TalkStep[]
}

/**
 * A file of talks. Lines before the first `talk <title>` line apply to all talks. Without such a line the file is one
 * talk.
 *
 * ```
 * flow topup
 * code *675#
 * backend wallet.balance {"amount": 120, "currency": "PGK"}
 * talk A balance is shown
 * dial *675#
 * < Welcome
 * < 1. Balance
 * > 1
 * < You have 120 kina.
 * ended completed
 * ```
 *
 * More lines: `now 2025-01-15T08:00Z`, the time of the dial; `sms <text>`, an SMS that was sent; `write BALANCE`, the
 * word by SMS that starts the flow in place of a dial: what the flow ends with is the SMS that answers it; `refuse x.y name
 * [json]`, `fail x.y [why]`, `called x.y [json]`, `language tpi`, `msisdn 675…`, `ack`, `hang up` (by the subscriber),
 * `lost` (by the network: the next dial may resume), `# comment`. A line that starts with blanks continues the line
 * before it. An answer in double quotes is JSON: `> "  2 "`. `then` before `backend`, `refuse` or `fail`: the answer to
 * the next call of the same turn.
 * Throws ProblemsError.
 */
export function parseTalks(file: string, source: string): Talk[] {
  const problems: Problem[] = []
  const before: Talk = { file, title: file.replace(/^.*\//, '').replace(/\.talk$/, ''), flow: '', steps: [] }
  const talks: Talk[] = []
  let now = before
  for (const { line, text } of logicalLines(source)) {
    const [word = '', rest = ''] = split(text)
    if (word === 'talk') {
      now = { file, title: rest, flow: before.flow, steps: [...before.steps] }
      talks.push(now)
    } else if (word === 'flow') now.flow = rest
    else if (word === '<') expectLine(now.steps, line, rest)
    else {
      const step = stepOf(word, rest, line)
      if (typeof step === 'object') now.steps.push(step)
      else problems.push({ where: `${file}:${line}:1`, ...complaintOf(word, step) })
    }
  }
  if (problems.length > 0) throw new ProblemsError(`talk ${file}`, problems)
  return talks.length > 0 ? talks : [before]
}

const WORDS = [
  'talk',
  'flow',
  'code',
  'dial',
  'backend',
  'refuse',
  'fail',
  'then',
  'called',
  'language',
  'msisdn',
  'now',
  'sms',
  'write',
  'ended',
  'ack',
  'lost',
  'hang up',
  '<',
  '>',
]

function complaintOf(word: string, what: string | undefined): { what: string; remedy?: string } {
  return what === undefined ? { what: `unknown line '${word}'`, remedy: remedyAmong(word, WORDS) } : { what }
}

/** A step, or a sentence about what is wrong. Undefined: the word is unknown. */
function stepOf(word: string, rest: string, line: number): TalkStep | string | undefined {
  switch (word) {
    case '>':
      return { line, do: 'answer', text: answerOf(rest) }
    case 'dial':
      return rest === '' ? 'dial what?' : { line, do: 'dial', code: rest }
    case 'code':
      return { line, do: 'code', code: rest }
    case 'language':
      return { line, do: 'language', language: rest }
    case 'msisdn':
      return { line, do: 'msisdn', msisdn: rest }
    case 'now':
      return Number.isNaN(Date.parse(rest))
        ? `'${rest}' is not a time such as 2025-01-15T08:00Z`
        : { line, do: 'now', now: rest }
    case 'sms':
      return rest === '' ? 'which SMS?' : { line, do: 'sms', text: rest }
    case 'write':
      return rest === '' ? 'which word?' : { line, do: 'write', text: rest }
    case 'ended':
      return { line, do: 'ended', reason: rest || undefined }
    case 'ack':
      return { line, do: 'ack' }
    case 'lost':
      return { line, do: 'lost' }
    case 'hang':
      return rest === 'up' ? { line, do: 'hang-up' } : undefined
    case 'then':
      return thenStep(rest, line)
    case 'backend':
    case 'refuse':
    case 'fail':
    case 'called':
      return operationStep(word, rest, line)
    default:
      return undefined
  }
}

function thenStep(rest: string, line: number): TalkStep | string {
  const [word = '', after = ''] = split(rest)
  if (!['backend', 'refuse', 'fail'].includes(word)) return 'write backend, refuse or fail after then'
  const step = operationStep(word, after, line)
  return typeof step === 'object' && step.do === 'stub' ? { ...step, again: true } : step
}

const FAILURES = ['late', 'down', 'nonsense', 'refused-call'] as const

function operationStep(word: string, rest: string, line: number): TalkStep | string {
  const [operation = '', after = ''] = split(rest)
  if (!/^_?[a-z][a-z0-9-]*\.[a-zA-Z][\w-]*$/.test(operation))
    return `'${operation}' is not a back end and operation such as wallet.balance`
  if (word === 'fail') {
    const why = FAILURES.find((known) => known === (after || 'down'))
    return why
      ? { line, do: 'stub', operation, outcome: { is: 'failed', why } }
      : `'${after}' must be one of: ${FAILURES.join(', ')}`
  }
  const [refusal = '', written = ''] = word === 'refuse' ? named(after) : ['', after]
  if (word === 'refuse' && refusal === '')
    return `write the name of the refusal: refuse ${operation} <name>, in double quotes if it has blanks`
  const data = jsonOf(written)
  if (data === undefined && (written !== '' || word === 'backend')) return `'${written}' is not JSON`
  if (word === 'called') return { line, do: 'called', operation, args: data }
  const outcome: Stub =
    word === 'refuse' ? { is: 'refused', refusal, data: data ?? null } : { is: 'data', data: data as Json }
  return { line, do: 'stub', operation, outcome }
}

function expectLine(steps: TalkStep[], line: number, text: string): void {
  const last = steps.at(-1)
  if (last?.do === 'expect') last.text += `\n${text}`
  else steps.push({ line, do: 'expect', text })
}

function answerOf(rest: string): string {
  const quoted = rest.startsWith('"') ? jsonOf(rest) : undefined
  return typeof quoted === 'string' ? quoted : rest
}

/** A name, in double quotes if it has blanks, and what follows. */
function named(text: string): [string, string] {
  const [whole, name = ''] = /^"([^"]*)"(?=\s|$)/.exec(text) ?? []
  return whole === undefined ? split(text) : [name, text.slice(whole.length).trim()]
}

function jsonOf(written: string): Json | undefined {
  try {
    return JSON.parse(written) as Json
  } catch {
    return undefined
  }
}

function split(text: string): [string, string] {
  const at = text.search(/\s/)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1).trimEnd()]
}

function logicalLines(source: string): { line: number; text: string }[] {
  const out: { line: number; text: string }[] = []
  source.split(/\r?\n/).forEach((raw, i) => {
    if (raw.trim() === '' || raw.startsWith('#')) return
    const last = out.at(-1)
    if (/^\s/.test(raw) && last) last.text += raw.trim()
    else out.push({ line: i + 1, text: raw })
  })
  return out
}
