/**
 * The kit of a contract: recorded requests and replies of one dialogue, to test both sides. An HTTP message is written
 * as on the wire, without the headers that do not matter for the contract.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { ProblemsError, packageRoot } from '../../base/index.ts'
import { END_REASONS } from './fill.ts'
import type { HttpAnswer, Asked, Outgoing } from './types.ts'

const shows = z.union([z.strictObject({ ask: z.string() }), z.strictObject({ end: z.string() })])

const kit = z.strictObject({
  contract: z.string(),
  /** Where the exchanges are from. */
  seen: z.string(),
  dialogue: z.strictObject({
    epoch: z.string(),
    msisdn: z.string(),
    line: z.string(),
    network: z.string(),
    account: z.string().optional(),
    language: z.string(),
    code: z.string(),
    dialled: z.string(),
    nowMs: z.number(),
  }),
  /** One after the other, in one dialogue. The first is the dial. */
  turns: z.array(z.strictObject({ input: z.string(), request: z.string(), reply: z.string(), shows })).min(1),
  /** What the application is told if the dialogue ends after the first turn; '' for nothing. */
  closes: z.partialRecord(z.enum(END_REASONS), z.string()).default({}),
  /** Replies that are invalid. */
  refused: z.array(z.string()).default([]),
})

export type Kit = z.infer<typeof kit>

/** Where the application of every kit listens. */
export const KIT_PATH = '/ussd'

/** The kit with this name. Undefined if there is none. Throws ProblemsError if it is not valid. */
export function loadKit(name: string, dir = join(packageRoot, 'contracts')): Kit | undefined {
  const file = join(dir, `${name}.kit.yaml`)
  if (!existsSync(file)) return undefined
  const parsed = kit.safeParse(parse(readFileSync(file, 'utf8')))
  if (parsed.success) return parsed.data
  throw new ProblemsError(
    `kit ${file}`,
    parsed.error.issues.map((issue) => ({ where: issue.path.join('.'), what: issue.message })),
  )
}

/** A request in the form of a kit: `POST /path`, the headers that matter, an empty line, the body. */
export function requestText({
  method,
  target,
  headers,
  body,
}: Omit<Outgoing, 'path' | 'query'> & { target: string }): string {
  const told = Object.entries(headers).filter(([key]) => key === 'content-type' || key === 'cookie')
  return message(`${method} ${target}`, told, body)
}

/** The request that a kit's text describes. */
export function readRequest(text: string): {
  method: string
  target: string
  headers: Record<string, string>
  body: string
} {
  const { first, headers, body } = parts(text)
  const [method = '', target = ''] = first.split(' ')
  return { method, target, headers, body }
}

/** The reply that a kit's text describes: an answer or, if it comes later, a request of the application. */
export function readAnswer(text: string): HttpAnswer {
  const { first, headers, body } = parts(text)
  return { status: first.startsWith('POST ') ? 200 : Number(first), headers, body }
}

/** The question of one turn of the kit, given what was entered and remembered before. */
export function kitAsked(kit: Kit, turn: number, state: Asked['state']): Asked {
  const { code, dialled, account, ...dialogue } = kit.dialogue
  const entered = kit.turns.slice(1, turn + 1).map(({ input }) => input)
  return {
    ...dialogue,
    ...(account === undefined ? {} : { account }),
    serviceCode: code,
    dialled,
    text: entered.join('*'),
    input: entered.at(-1) ?? '',
    sequence: turn + 1,
    state,
    intention: `${dialogue.epoch}:${turn + 1}:0`,
  }
}

function message(first: string, headers: [string, string][], body: string): string {
  return [first, ...headers.map(([key, value]) => `${key}: ${value}`), ...(body === '' ? [] : ['', body])].join('\n')
}

function parts(text: string): { first: string; headers: Record<string, string>; body: string } {
  const [head = '', ...rest] = text.split('\n\n')
  const [first = '', ...lines] = head.split('\n')
  const headers = lines
    .filter((line) => line.includes(':'))
    .map((line): [string, string] => [
      line.slice(0, line.indexOf(':')).trim().toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ])
  return { first: first.trim(), headers: Object.fromEntries(headers), body: rest.join('\n\n') }
}
