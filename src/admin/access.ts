/**
 * Who may use the admin server: bearer tokens, of which the daemon knows only the hashes. Compared in constant time. A
 * right token always works: nobody can lock it out with wrong ones. An address that fails again and again gets an
 * error, and no longer fills the log.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ProblemsError, UsageError, type Problem } from '../base/index.ts'

/** read: may look · operate: may look and change. */
export type AdminRole = 'read' | 'operate'

export interface Token {
  role: AdminRole
  /** The name in the audit log: that of the file, or the first 8 digits of the hash. */
  name: string
  sha256: Buffer
}

/** What a request comes with. */
export interface Bearer {
  /** The Authorization header. */
  header: string | undefined
  /** Where it comes from. */
  address: string
}

export type AccessDecision =
  | { is: 'known'; token: Token }
  /** No header at all. */
  | { is: 'nobody' }
  | { is: 'wrong' }
  /** Wrong, after too many wrong ones from this address. */
  | { is: 'locked' }

/**
 * Wrong tokens of one address that are logged at once, and the time until one more is. This does not protect against
 * guessing; the 256 random bits do. A program of this machine shares its address with the operator and with Prometheus.
 */
export const FAILED_MAX = 10
export const FAILED_EACH_MS = 6_000
/** Addresses whose failures are remembered. */
const ADDRESSES_MAX = 1_000

/**
 * Tokens of a file: a line each, `role:sha256hex` and, if wanted, a name behind it; `#` begins a comment.
 * Throws ProblemsError. The hash is that of the token's characters: `printf %s "$TOKEN" | sha256sum`.
 */
export function readTokens(file: string, text: string): Token[] {
  const problems: Problem[] = []
  const tokens = text.split(/\r?\n/).flatMap((line, i): Token[] => {
    const written = line.replace(/(^|\s)#.*$/, '').trim()
    if (written === '') return []
    const found = /^(read|operate):([0-9a-f]{64})(?:\s+([\w.@-]{1,64}))?$/i.exec(written)
    if (!found) {
      const what = 'must be role:sha256, or role:sha256 and a name'
      problems.push({ where: `${file}:${i + 1}`, what, remedy: '`ussd-connector token operate` prints such a line' })
      return []
    }
    const [, role, hex, name] = found
    return [
      {
        role: role!.toLowerCase() as AdminRole,
        sha256: Buffer.from(hex!, 'hex'),
        name: name ?? hex!.slice(0, 8).toLowerCase(),
      },
    ]
  })
  if (!problems.length && !tokens.length)
    problems.push({ where: file, what: 'has no token', remedy: 'ussd-connector token operate' })
  if (problems.length) throw new ProblemsError(file, problems)
  return tokens
}

/** Of admin.tokensFile; none without one. Throws UsageError or ProblemsError. */
export function tokensOf(file: string | undefined): Token[] {
  if (file === undefined) return []
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`admin.tokensFile: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  return readTokens(file, text)
}

export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

export interface AdminAccess {
  check(bearer: Bearer, nowMs: number): AccessDecision
}

export function createAccess(tokens: readonly Token[]): AdminAccess {
  // When the failures of an address are forgotten.
  const clearAt = new Map<string, number>()
  const fail = (address: string, nowMs: number): AccessDecision => {
    const at = Math.max(clearAt.get(address) ?? nowMs, nowMs) + FAILED_EACH_MS
    clearAt.delete(address)
    clearAt.set(address, at)
    if (clearAt.size > ADDRESSES_MAX) clearAt.delete(clearAt.keys().next().value!)
    return { is: 'wrong' }
  }
  return {
    check({ header, address }, nowMs) {
      if (header === undefined) return { is: 'nobody' }
      const given = tokenHash(/^bearer +(.*)$/i.exec(header)?.[1] ?? '')
      // Compares with all tokens: the time must not show which one fits.
      const [token] = tokens.filter((one) => timingSafeEqual(one.sha256, given))
      if (token) return { is: 'known', token }
      return (clearAt.get(address) ?? 0) - nowMs > (FAILED_MAX - 1) * FAILED_EACH_MS
        ? { is: 'locked' }
        : fail(address, nowMs)
    },
  }
}
