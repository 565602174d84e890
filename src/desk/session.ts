/**
 * The cookie of somebody who signed in with a token. It says who and since when, and is signed with a key that all
 * daemons of the fleet have, and with the hash of the token: who can read the database cannot make one, and a token
 * that is taken out of admin.tokensFile takes its cookies along.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Token } from '../admin/index.ts'

export interface Session {
  /** New at each sign-in; a sign-out ends it in all daemons. */
  id: string
  /** Of the token: the first digits of its hash. */
  token: string
  /** Wall clock. */
  fromMs: number
  /** When a page was last asked for. */
  seenMs: number
}

export interface SessionLimits {
  /** Without a page for so long. Infinity: a screen on a wall. */
  idleMs: number
  longestMs: number
}

const TOKEN_DIGITS = 16
const ID_OCTETS = 12
/** A daemon whose clock is this much behind still takes the cookie of another one. */
const CLOCKS_MS = 60_000

export function newSession({ sha256 }: Pick<Token, 'sha256'>, nowMs: number): Session {
  const id = randomBytes(ID_OCTETS).toString('base64url')
  return { id, token: sha256.toString('hex').slice(0, TOKEN_DIGITS), fromMs: nowMs, seenMs: nowMs }
}

export function sealedSession({ id, token, fromMs, seenMs }: Session, key: string, { sha256 }: Token): string {
  const said = [id, token, fromMs.toString(36), seenMs.toString(36)].join('.')
  return `${said}.${signed(said, key, sha256)}`
}

/** Undefined: it is not one of ours, its token is gone, or it is over. */
export function openedSession(
  cookie: string,
  { key, tokens, nowMs, limits }: OpenedBy,
): { session: Session; token: Token } | undefined {
  const [, said = '', id = '', digits = '', from = '', seen = '', seal = ''] = COOKIE.exec(cookie) ?? []
  const token = tokens.find(({ sha256 }) => sha256.toString('hex').startsWith(digits))
  if (!token || digits === '' || !isSame(seal, signed(said, key, token.sha256))) return undefined
  const session = { id, token: digits, fromMs: Number.parseInt(from, 36), seenMs: Number.parseInt(seen, 36) }
  const { idleMs, longestMs } = limits(token)
  const isOver = nowMs - session.seenMs > idleMs || nowMs - session.fromMs > longestMs
  return isOver || session.seenMs - nowMs > CLOCKS_MS ? undefined : { session, token }
}

export interface OpenedBy {
  key: string
  tokens: readonly Token[]
  nowMs: number
  limits(token: Token): SessionLimits
}

const COOKIE = /^(([\w-]{16})\.([0-9a-f]{16})\.([0-9a-z]{1,11})\.([0-9a-z]{1,11}))\.([\w-]{43})$/

/** What each form of a page has: pages of others cannot read it. `of`: the session, or the user of a proxy. */
export function formSecret(key: string, of: string): string {
  return createHmac('sha256', key).update(`form ${of}`).digest('base64url')
}

export function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function signed(said: string, key: string, tokenHash: Buffer): string {
  const own = createHmac('sha256', key).update('session ').update(tokenHash).digest()
  return createHmac('sha256', own).update(said).digest('base64url')
}
