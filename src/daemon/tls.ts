/** The TLS settings of an SMSC or of Redis, with their files read. */
import { readFileSync } from 'node:fs'
import type { ConfiguredLine } from '../config/index.ts'
import { UsageError } from '../base/index.ts'
import type { TlsSettings } from '../smpp/session/index.ts'

/** `where` is the setting, for the message. Throws UsageError for a file that cannot be read. */
export function tlsOf(tls: NonNullable<ConfiguredLine['smsc']['tls']>, where: string): TlsSettings {
  const file = (path: string | undefined) => (path === undefined ? undefined : readPem(path, where))
  const [ca, cert, key] = [file(tls.ca), file(tls.cert), file(tls.key)]
  return {
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(tls.servername ? { servername: tls.servername } : {}),
  }
}

function readPem(path: string, where: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new UsageError(`${where}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}
