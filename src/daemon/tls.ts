/** The TLS settings of an SMSC or of a store, with their files read. */
import { readFileSync } from 'node:fs'
import type { ConfiguredLine } from '../config/index.ts'
import { readSecretOctets, saidOfFault, UsageError } from '../base/index.ts'
import type { TlsSettings } from '../smpp/session/index.ts'

/** `where` is the setting, for the message. Throws UsageError if a file cannot be read, or if others can read a key. */
export function tlsOf(tls: NonNullable<ConfiguredLine['smsc']['tls']>, where: string): TlsSettings {
  const [ca, cert] = [tls.ca, tls.cert].map((path) => (path === undefined ? undefined : readPem(path, where)))
  const key = tls.key === undefined ? undefined : readKey(tls.key, `${where}.key`)
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

function readKey(path: string, where: string): Buffer {
  const read = readSecretOctets(path)
  if ('octets' in read) return read.octets
  throw new UsageError(saidOfFault(read, where))
}
