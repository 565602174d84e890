/** The client for the admin server of a running daemon. Several commands share it. */
import type { UsageError } from '../base/index.ts'

/** Loaded only if something goes wrong: `health` must answer at once. */
const usageError = async (message: string): Promise<UsageError> =>
  new (await import('../base/index.ts')).UsageError(message)

export interface AdminOptions {
  url: string
  tokenFile?: string
  /** The answer as JSON. */
  json?: boolean
}

/**
 * The headers of a request with the token of this file, else of USSD_CONNECTOR_TOKEN; none without both. Rejects with
 * UsageError.
 */
export async function bearerOf(
  tokenFile: string | undefined,
  { USSD_CONNECTOR_TOKEN: token = '' } = process.env,
): Promise<Record<string, string>> {
  if (tokenFile === undefined) return token === '' ? {} : { authorization: `Bearer ${token}` }
  const { secretIn } = await import('../base/index.ts')
  return { authorization: `Bearer ${secretIn(tokenFile, '--token-file')}` }
}

/** Time limits for reads and for changes. Checking a large flow takes a daemon that serves meanwhile half a minute. */
const ANSWER_MS = { read: 10_000, change: 180_000 }

/** One request to the admin server. Throws UsageError with what the daemon reports. */
export async function askAdmin<T>(options: AdminOptions, method: string, path: string, body?: object): Promise<T> {
  return (await (await request(options, method, path, body)).json()) as T
}

/** In place of an answer, for commands with exit codes of their own: nobody answered, or the daemon refused. */
export function unanswered(message: string, { json }: AdminOptions): string {
  if (json) return asJson({ error: message })
  return `${/^\d{3}: /.test(message) ? 'REFUSED' : 'NO ANSWER'}  ${message}`
}

/** For a command with --json. */
export const asJson = (answer: unknown): string => JSON.stringify(answer, null, 2)

/** The answer, if it is a success. Throws UsageError; its `is` is that of the answer, if it has one. */
export async function request(
  { url, tokenFile }: AdminOptions,
  method: string,
  path: string,
  body?: object,
  limitMs = method === 'GET' ? ANSWER_MS.read : ANSWER_MS.change,
): Promise<Response> {
  const answer = await fetch(new URL(path, url), {
    method,
    headers: { ...(await bearerOf(tokenFile)), ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
    redirect: 'error',
    signal: AbortSignal.timeout(limitMs),
  }).catch(async (error: Error) => {
    if (error.name === 'TimeoutError')
      throw await usageError(`${url}: no answer within ${limitMs / 1000} s; the daemon may still do what you asked`)
    const why = (error.cause as Error | undefined)?.message ?? error.message
    throw await usageError(`${url}: ${why} (is the daemon running? Is --url its admin address?)`)
  })
  if (answer.ok) return answer
  const said = (await answer.json().catch(() => ({}))) as { error?: string; problems?: string[]; is?: string }
  const error = await usageError(
    [`${answer.status}: ${said.error ?? answer.statusText}`, ...(said.problems ?? [])].join('\n  '),
  )
  throw Object.assign(error, { is: said.is })
}
