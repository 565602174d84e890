/** `dialogues`, `lines`, `push`, `health` and `token`: what is asked of a running daemon over its admin door. */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { DialogueSummary, LineRow, LinesReloaded, PushTold } from '../admin/index.ts'
import { UsageError } from '../base/index.ts'

type Say = (text: string) => void

export interface AdminOptions {
  url: string
  tokenFile?: string
}

export async function dialoguesCommand(
  options: AdminOptions & { msisdn: string; end?: boolean },
  say: Say,
): Promise<void> {
  const path = `/v1/dialogues?msisdn=${encodeURIComponent(options.msisdn)}`
  const { dialogues } = await askAdmin<{ dialogues: DialogueSummary[] }>(options, 'GET', path)
  if (!dialogues.length) say('none')
  for (const one of dialogues) say(sentence(one))
  if (!options.end) return
  for (const one of dialogues.filter((dialogue) => dialogue.ended === null)) {
    const at = `/v1/dialogues/${encodeURIComponent(one.group)}/${encodeURIComponent(options.msisdn.replace(/^\+/, ''))}`
    await askAdmin(options, 'DELETE', at)
    say(`ended    ${one.group} ${one.epoch}`)
  }
}

export async function linesCommand(
  options: AdminOptions & { reload?: boolean; stop?: string; start?: string },
  say: Say,
): Promise<void> {
  if (options.reload) {
    const { needRestart, ...names } = await askAdmin<LinesReloaded>(options, 'POST', '/v1/lines/reload')
    for (const [what, lines] of Object.entries(names)) if (lines.length) say(`${what.padEnd(8)} ${lines.join(' ')}`)
    if (needRestart.length) say(`only a restart takes: ${needRestart.join(', ')}`)
    return
  }
  for (const verb of ['stop', 'start'] as const) {
    const name = options[verb]
    if (name !== undefined) await askAdmin(options, 'POST', `/v1/lines/${encodeURIComponent(name)}/${verb}`)
  }
  const { lines } = await askAdmin<{ lines: LineRow[] }>(options, 'GET', '/v1/lines')
  for (const { name, group, dialect, stopped, binds } of lines) {
    say(`${name.padEnd(16)} ${group.padEnd(16)} ${dialect.padEnd(16)} ${stopped ? 'stopped' : ''}`.trimEnd())
    for (const { bind, state, since, peer, why, detail, remedy, tries } of binds) {
      const reason = why === undefined ? '' : `  ${why}: ${detail}, ${tries} ${tries === 1 ? 'try' : 'tries'}`
      say(`  ${bind.padEnd(16)} ${state.padEnd(14)} since ${since}  ${peer}${reason}`)
      if (remedy) say(`  ${' '.repeat(16)} ${remedy}`)
    }
  }
}

export interface PushOptions extends AdminOptions {
  msisdn: string
  flow?: string
  text?: string
  line?: string
  language?: string
  sms?: string
}

export async function pushCommand({ url, tokenFile, ...body }: PushOptions, say: Say): Promise<void> {
  const told = await askAdmin<PushTold>(
    { url, ...(tokenFile === undefined ? {} : { tokenFile }) },
    'POST',
    '/v1/push',
    body,
  )
  const means = NOT_SHOWN[told.is]
  say([told.is, told.epoch, means, told.sms ? 'an SMS goes out instead' : undefined].filter(Boolean).join('  '))
}

/** What stands behind the word of an outcome (docs/SMS.md), for whoever typed the command. */
const NOT_SHOWN: Record<string, string> = {
  busy: 'the subscriber is in a dialogue of ours',
  absent: 'the network refused: the handset is off, away or busy elsewhere',
  later: 'the network is too busy now',
  unsupported: 'the network, or the dialect of the line, lets us not begin',
  'bad-number': 'the network refused the number for good',
  unsent: 'no line is bound (ussd-connector lines), or it was too late',
  unknown: 'no response in time: it may stand on the handset',
  'no-flow': 'there is no such flow (ussd-connector flow status names those that there are)',
}

export interface HealthOptions {
  host: string
  port: number
  tokenFile?: string
}

const HEALTH_MS = 2_500

/** Whether the daemon is ready. What it says is said on; its silence, too. */
export async function healthCommand({ host, port, tokenFile }: HealthOptions, say: Say): Promise<boolean> {
  const authority = host.includes(':') ? `[${host}]` : host
  const answer = await fetch(`http://${authority}:${port}/ready`, {
    headers: bearerOf(tokenFile),
    redirect: 'error',
    signal: AbortSignal.timeout(HEALTH_MS),
  }).catch(() => undefined)
  say(answer ? await answer.text() : 'no answer')
  return answer?.ok ?? false
}

/** A new token, said once, and the line of admin.tokensFile that lets it in. */
export function tokenCommand(role: string, say: Say): void {
  if (role !== 'read' && role !== 'operate') throw new UsageError(`'${role}' is not a role: read or operate`)
  const token = randomBytes(32).toString('base64url')
  say(`token, for whoever shall ${role}:   ${token}`)
  say(`line, for admin.tokensFile:      ${role}:${createHash('sha256').update(token).digest('hex')}`)
}

/** The headers of a request with the token of that file; none without a file. */
export function bearerOf(tokenFile: string | undefined): Record<string, string> {
  if (tokenFile === undefined) return {}
  try {
    return { authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` }
  } catch (error) {
    throw new UsageError(`--token-file: ${tokenFile} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

/**
 * Of what is read, and of what is changed: to prove a large flow takes a daemon that serves meanwhile half a minute.
 */
const ANSWER_MS = { read: 10_000, change: 180_000 }

/** One request over the admin door. Throws UsageError with what the daemon says is wrong. */
export async function askAdmin<T>(options: AdminOptions, method: string, path: string, body?: object): Promise<T> {
  return (await (await request(options, method, path, body)).json()) as T
}

/** The answer, if it is a good one. Throws UsageError. */
export async function request(
  { url, tokenFile }: AdminOptions,
  method: string,
  path: string,
  body?: object,
  limitMs = method === 'GET' ? ANSWER_MS.read : ANSWER_MS.change,
): Promise<Response> {
  const answer = await fetch(new URL(path, url), {
    method,
    headers: { ...bearerOf(tokenFile), ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
    redirect: 'error',
    signal: AbortSignal.timeout(limitMs),
  }).catch((error: Error) => {
    if (error.name === 'TimeoutError')
      throw new UsageError(`${url}: no answer in ${limitMs / 1000} s; what was asked may still be done`)
    const why = (error.cause as Error | undefined)?.message ?? error.message
    throw new UsageError(`${url}: ${why} (is the daemon running, and --url its admin address?)`)
  })
  if (answer.ok) return answer
  const said = (await answer.json().catch(() => ({}))) as { error?: string; problems?: string[] }
  throw new UsageError([`${answer.status}: ${said.error ?? answer.statusText}`, ...(said.problems ?? [])].join('\n  '))
}

function sentence(one: DialogueSummary): string {
  const since = new Date(one.openedMs).toISOString()
  const state = one.ended === null ? one.status : `ended (${one.ended})`
  return `${one.group}  ${one.msisdn}  ${state}  ${one.flow || '-'}  turn ${one.turn}  since ${since}  ${one.epoch}`
}
