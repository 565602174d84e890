/**
 * Who may use the admin server: bearer tokens, of which the daemon knows only the hashes. They are compared in constant
 * time. A valid token always works: nobody can lock it out with wrong ones. An address that fails again and again gets
 * an error and no longer fills the log.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import {
  callerOf,
  createLockout,
  didYouMean,
  isHashOfWeak,
  ProblemsError,
  readSecretFile,
  saidOfFault,
  UsageError,
  weakness,
  type Problem,
} from '../base/index.ts'
import { ROLE_NAMES, type AdminRole } from './roles.ts'

export interface Token {
  roles: readonly AdminRole[]
  /** The name in the audit log: that of the file, or the first 8 digits of the hash. */
  name: string
  sha256: Buffer
}

/** The credentials of a request. */
export interface Bearer {
  /** The Authorization header. */
  header: string | undefined
  /** The address of the caller. */
  address: string
}

export type AccessDecision =
  | { is: 'known'; token: Token }
  /** No header at all. */
  | { is: 'nobody' }
  | { is: 'wrong' }
  /** Wrong, after too many wrong ones from this address. */
  | { is: 'locked'; isFirst: boolean }
  /** The file has a token that is so short or simple that others can guess it. The file has only its hash. */
  | { is: 'weak'; token: Token }

const LINE = /^([a-z]+(?:,[a-z]+)*):([0-9a-f]{64})(?:\s+([\w.@-]{1,64}))?$/i
const STRONG = '`ussd-connector token read operate` prints such a line'

/**
 * The tokens of a file, one per line: `roles:sha256hex`, optionally followed by a name; roles have commas between them,
 * `#` begins a comment. Throws ProblemsError. The hash is that of the token's characters: `printf %s "$TOKEN" | sha256sum`.
 */
export function readTokens(file: string, text: string): Token[] {
  const problems: Problem[] = []
  const tokens = text.split(/\r?\n/).flatMap((line, i): Token[] => {
    const written = line.replace(/(^|\s)#.*$/, '').trim()
    if (written === '') return []
    const token = tokenIn(written)
    if (!('what' in token)) return [token]
    problems.push({ where: `${file}:${i + 1}`, ...token })
    return []
  })
  if (!problems.length && !tokens.length)
    problems.push({ where: file, what: 'has no token', remedy: 'ussd-connector token read operate' })
  if (problems.length) throw new ProblemsError(file, problems)
  return tokens
}

function tokenIn(line: string): Token | Omit<Problem, 'where'> {
  const found = LINE.exec(line)
  if (!found) return { what: 'must be roles:sha256, or roles:sha256 and a name', remedy: STRONG }
  const [, list, hex, name = hex!.slice(0, 8).toLowerCase()] = found
  const roles = [...new Set(list!.toLowerCase().split(','))]
  const strange = roles.find((role) => !isRole(role))
  if (strange !== undefined)
    return { what: `'${strange}' is not a role`, remedy: didYouMean(strange, ROLE_NAMES) ?? ROLE_NAMES.join(', ') }
  const sha256 = Buffer.from(hex!, 'hex')
  if (isHashOfWeak(sha256)) return { what: 'is the hash of a token that anybody can guess', remedy: STRONG }
  return { roles: roles as AdminRole[], name, sha256 }
}

function isRole(word: string): word is AdminRole {
  return (ROLE_NAMES as readonly string[]).includes(word)
}

/** The tokens of admin.tokensFile; none without such a file. Throws UsageError or ProblemsError. */
export function tokensOf(file: string | undefined): Token[] {
  if (file === undefined) return []
  const read = readSecretFile(file)
  if ('text' in read) return readTokens(file, read.text)
  throw new UsageError(saidOfFault(read, 'admin.tokensFile'))
}

export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

export interface AdminAccess {
  check(bearer: Bearer, nowMs: number): AccessDecision
}

export function createAccess(tokens: readonly Token[]): AdminAccess {
  const lockout = createLockout()
  return {
    check({ header, address }, nowMs) {
      if (header === undefined) return { is: 'nobody' }
      const sent = /^bearer +(.*)$/i.exec(header)?.[1] ?? ''
      const given = tokenHash(sent)
      // Compares with all tokens: the time must not show which one fits.
      const [token] = tokens.filter((one) => timingSafeEqual(one.sha256, given))
      if (token) return weakness(sent) === undefined ? { is: 'known', token } : { is: 'weak', token }
      const failure = lockout.fail(callerOf(address), nowMs)
      return failure === 'told' ? { is: 'wrong' } : { is: 'locked', isFirst: failure === 'locks' }
    },
  }
}
