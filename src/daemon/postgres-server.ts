/** The Postgres server of the settings: its current password, and its TLS. */
import { checkServerIdentity, type ConnectionOptions } from 'node:tls'
import type { Settings } from '../config/index.ts'
import { readSecretFile } from '../base/index.ts'
import type { ServerSettings } from '../store/postgres/index.ts'
import { tlsOf } from './tls.ts'

type Server = Exclude<Settings['postgres'], 'embedded'>

/** Throws UsageError for a file of TLS that cannot be read. */
export function serverOf({ url, passwordFile, tls, poolMax, pooler }: Server): ServerSettings {
  return {
    url,
    poolMax,
    ...(pooler ? { pooler } : {}),
    ...(tls ? { ssl: secure(tls) } : {}),
    ...(passwordFile === undefined
      ? {}
      : { password: () => passwordIn(passwordFile) ?? decodeURIComponent(new URL(url).password) }),
  }
}

/** Null: the file cannot be read now; the password from the start may still be right. */
function passwordIn(file: string): string | null {
  const read = readSecretFile(file)
  return 'text' in read ? read.text.replace(/\r?\n$/, '') : null
}

function secure(tls: NonNullable<Server['tls']>): ConnectionOptions {
  const { servername, ...files } = tlsOf(tls, 'postgres.tls')
  return {
    minVersion: 'TLSv1.2',
    ...files,
    // pg replaces a servername by the host of the URL.
    ...(servername === undefined
      ? {}
      : { checkServerIdentity: (_: string, cert) => checkServerIdentity(servername, cert) }),
  }
}
