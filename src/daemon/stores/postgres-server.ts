/** The Postgres server of the settings: its current password, and its TLS. */
import type { ConnectionOptions } from 'node:tls'
import type { Settings } from '../../config/index.ts'
import { readSecretFile } from '../../base/index.ts'
import type { ServerSettings } from '../../store/postgres/index.ts'
import { postgresTlsOf } from './store-tls.ts'

type Server = Exclude<Settings['postgres'], 'embedded'>

/** `ssl`: its TLS, if it was read before. Throws UsageError for a file of TLS that is wrong. */
export function serverOf(server: Server, ssl: ConnectionOptions | undefined = postgresTlsOf(server)): ServerSettings {
  const { url, passwordFile, poolMax, pooler } = server
  return {
    url,
    poolMax,
    ...(pooler ? { pooler } : {}),
    ...(ssl ? { ssl } : {}),
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
