/** The TLS settings of an SMSC or of a store, with their files read. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { ConfiguredLine } from '../config/index.ts'
import { readSecretOctets, saidOfFault, UsageError } from '../base/index.ts'
import type { TlsSettings } from '../smpp/session/index.ts'

/**
 * `where` is the setting, for the message. Throws UsageError if a file cannot be read or is not what it should be, or
 * if others can read a key.
 */
export function tlsOf(tls: NonNullable<ConfiguredLine['smsc']['tls']>, where: string): TlsSettings {
  const [ca, cert] = [tls.ca, tls.cert].map((path) => (path === undefined ? undefined : readCertificate(path, where)))
  const key = tls.key === undefined ? undefined : readKey(tls.key, `${where}.key`)
  if (key) requireKey(key, cert, where)
  return {
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(tls.servername ? { servername: tls.servername } : {}),
  }
}

function readCertificate(path: string, where: string): Buffer {
  const read = readPem(path, where)
  try {
    void new X509Certificate(read)
    return read
  } catch {
    throw new UsageError(`${where}: ${path} is not a certificate (PEM: -----BEGIN CERTIFICATE-----)`)
  }
}

/** A key that belongs to another certificate would fail at each connection. */
function requireKey(key: Buffer, cert: Buffer | undefined, where: string): void {
  try {
    createSecureContext({ key, ...(cert ? { cert } : {}) })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const isOther = code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'
    throw new UsageError(
      `${where}.key: ${isOther ? 'is the key of another certificate' : `is not a private key (PEM), or needs a passphrase (${code})`}`,
    )
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
