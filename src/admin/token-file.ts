/**
 * admin.tokensFile while the daemon runs: who is taken out of it is turned away within seconds. A file that cannot be
 * read, or has a wrong line, changes nothing, and the log says so.
 */
import { randomBytes } from 'node:crypto'
import type { Audit } from '../audit/index.ts'
import { readSecretFile, saidOfFault, UsageError, type Log } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'
import { readTokens, tokensOf, type Token } from './access.ts'

export interface WatchedTokens {
  /** Those of now: the list itself changes. */
  readonly tokens: Token[]
  stop(): void
}

export interface TokenFileDeps {
  clock: Clock
  log: Log
  audit: Pick<Audit, 'note'>
}

/** A revoked token is dead within this. */
const LOOK_MS = 5_000

/** Nobody has this one. Without any token this machine would be let in. */
const NOBODY = (): Token => ({ roles: [], name: '-', sha256: randomBytes(32) })

/** Throws UsageError or ProblemsError if the file is wrong now. */
export function watchTokens(file: string | undefined, { clock, log, audit }: TokenFileDeps): WatchedTokens {
  const tokens = tokensOf(file)
  let cancel = (): void => undefined
  if (file === undefined) return { tokens, stop: cancel }
  let wrong = ''

  function look(): void {
    try {
      const next = tokensNow(file!)
      wrong = ''
      if (said(next) !== said(tokens)) {
        const names = (all: readonly Token[]) => all.map(({ roles, name }) => `${roles.join()} ${name}`)
        const change = { before: names(tokens), after: names(next) }
        log.warn(change, 'admin audit: tokens changed')
        audit.note({ who: '-', role: '-', what: 'tokens changed', more: change })
        tokens.splice(0, tokens.length, ...next)
      }
    } catch (error) {
      const why = (error as Error).message
      if (why !== wrong) log.error({ why }, 'admin.tokensFile is invalid: the old tokens stay in force')
      wrong = why
    }
    cancel = clock.after(LOOK_MS, look)
  }

  cancel = clock.after(LOOK_MS, look)
  return { tokens, stop: () => cancel() }
}

/** A file that has been emptied revokes all. */
function tokensNow(file: string): Token[] {
  const read = readSecretFile(file)
  if (!('text' in read)) throw new UsageError(saidOfFault(read, 'admin.tokensFile'))
  if (read.text.replace(/^\s*(#.*)?$/gm, '').trim() === '') return [NOBODY()]
  return readTokens(file, read.text)
}

/** The same for the same tokens. One that nobody has is always the same. */
function said(tokens: readonly Token[]): string {
  return tokens
    .map(({ roles, name, sha256 }) => `${roles.join()} ${name} ${name === '-' ? '' : sha256.toString('hex')}`)
    .join('\n')
}
