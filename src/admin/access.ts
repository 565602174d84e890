/**
 * Who may use the admin door: bearer tokens, of which the daemon knows only the hashes. Compared in constant time; an
 * address that fails again and again is not listened to for a while.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { ProblemsError, type Problem } from '../errors.ts'

/** read: looks · operate: looks and changes. */
export type Role = 'read' | 'operate'

export interface Token {
  role: Role
  /** Stands in the audit log: given in the file, else the first 8 digits of the hash. */
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

export type Verdict =
  | { is: 'known'; token: Token }
  /** No header at all. */
  | { is: 'nobody' }
  | { is: 'wrong' }
  /** Too many wrong ones from this address; this one was not looked at. */
  | { is: 'locked' }

/** Wrong tokens of one address at once, and how long until one more may be tried: 256 bits are not guessed anyway. */
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
      const what = 'is not role:sha256, with a blank and a name behind it or without'
      problems.push({ where: `${file}:${i + 1}`, what, remedy: 'ussd-connector token operate prints such a line' })
      return []
    }
    const [, role, hex, name] = found
    return [{ role: role!.toLowerCase() as Role, sha256: Buffer.from(hex!, 'hex'), name: name ?? hex!.slice(0, 8).toLowerCase() }]
  })
  if (!problems.length && !tokens.length) problems.push({ where: file, what: 'has no token', remedy: 'ussd-connector token operate' })
  if (problems.length) throw new ProblemsError(file, problems)
  return tokens
}

export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

export interface Access {
  check(bearer: Bearer, nowMs: number): Verdict
}

export function createAccess(tokens: readonly Token[]): Access {
  // When an address will have no failures against it any more.
  const clearAt = new Map<string, number>()
  const fail = (address: string, nowMs: number): Verdict => {
    const at = Math.max(clearAt.get(address) ?? nowMs, nowMs) + FAILED_EACH_MS
    clearAt.delete(address)
    clearAt.set(address, at)
    if (clearAt.size > ADDRESSES_MAX) clearAt.delete(clearAt.keys().next().value!)
    return { is: 'wrong' }
  }
  return {
    check({ header, address }, nowMs) {
      if (header === undefined) return { is: 'nobody' }
      if ((clearAt.get(address) ?? 0) - nowMs > (FAILED_MAX - 1) * FAILED_EACH_MS) return { is: 'locked' }
      const given = tokenHash(/^bearer +(.*)$/i.exec(header)?.[1] ?? '')
      // All are compared, whichever fits: time tells nothing.
      const found = tokens.filter((token) => timingSafeEqual(token.sha256, given))
      return found[0] ? { is: 'known', token: found[0] } : fail(address, nowMs)
    },
  }
}
