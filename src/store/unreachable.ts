/**
 * Why a store is unreachable, by the code of the error: what an operator can do about it, and whether waiting may help.
 */

export interface Unreachable {
  remedy: string
  passes: boolean
}

type Store = 'postgres' | 'redis'

/** Undefined: it is something else. */
export function unreachable(error: unknown, store: Store): Unreachable | undefined {
  const code = codeOf(error)
  const found = CAUSES.find(([codes]) => codes.test(code))
  return found && { remedy: found[1].replaceAll('STORE', store), passes: found[2] ?? false }
}

/** pg has no code for some cases, and Redis puts its own code as the first word. */
function codeOf(error: unknown): string {
  const { code, message = '' } = error as { code?: string; message?: string }
  if (message.startsWith('unsupported startup parameter')) return 'POOLER'
  if (message === 'The server does not support SSL connections') return 'NO_TLS'
  if (code) return code
  if (message.startsWith('Knex: Timeout acquiring a connection')) return 'ETIMEDOUT'
  if (/\bConnection (?:terminated|ended) unexpectedly\b/.test(message)) return 'ECONNRESET'
  return /^[A-Z]{2,}\b/.exec(message)?.[0] ?? ''
}

const CAUSES: [codes: RegExp, remedy: string, passes?: true][] = [
  [/^(ECONNREFUSED|57P0[123])$/, 'is it running at STORE.url?', true],
  [/^ETIMEDOUT$/, 'is it running at STORE.url, and does that port speak TLS if and only if STORE.tls is set?', true],
  [
    /^ECONNRESET$/,
    'the server hung up: is it starting, or does it want TLS (STORE.tls) or our certificate (STORE.tls.cert)?',
    true,
  ],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'the host in STORE.url has no address', true],
  [
    /^(28P01|28000)$/,
    'the user in STORE.url, PGUSER, STORE.passwordFile, or the certificate in STORE.tls that pg_hba.conf asks for',
  ],
  [
    /^POOLER$/,
    'STORE.url leads to a pooler such as PgBouncer: set STORE.pooler: transaction and the time limits of the role ' +
      '(docs/OPERATIONS.md, Postgres)',
  ],
  [/^(WRONGPASS|NOAUTH)$/, 'the user in STORE.url, or STORE.passwordFile', true],
  [/^3D000$/, 'make the database, or give the user the right CREATEDB'],
  [/^42501$/, 'the user in STORE.url needs the right CREATEDB, or CREATE on the schema of a database that is there'],
  [
    /^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)$/,
    "the server's certificate is not valid now: renew it, or set this machine's clock",
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    "the server's certificate is for another name: STORE.tls.servername, or the host in STORE.url",
  ],
  [
    /^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_)/,
    "the server's certificate is not signed by an authority in STORE.tls.ca",
  ],
  [
    /ALERT|HANDSHAKE_FAILURE/,
    'the server refuses our certificate, or wants one: STORE.tls.cert and key, of an authority that it trusts',
  ],
  [
    /^(NO_TLS|EPROTO|ERR_SSL_WRONG_VERSION_NUMBER)$/,
    'that port of the server speaks no TLS: switch it on there, or take STORE.tls out',
  ],
  [
    /^ERR_(OSSL|SSL)_/,
    'STORE.tls: a file is not a PEM file of the right kind, or key and certificate do not belong together',
  ],
]
