/** Passwords and other secrets of the settings: read from their files, and each said only once. */
import { type Problem, readSecretFile } from '../base/index.ts'
import type { Origins } from './load.ts'
import type { Settings } from './schema.ts'

/** Reads every file that holds a secret; what is wrong with one is a problem at its path. */
export function readSecrets(settings: Settings, where: (path: PropertyKey[]) => string): Problem[] {
  const problems: Problem[] = []
  const read = (file: string, path: PropertyKey[]): string => {
    const secret = readSecretFile(file)
    if ('text' in secret) return secret.text.replace(/\r?\n$/, '')
    problems.push({ where: where(path), what: secret.fault, ...(secret.remedy ? { remedy: secret.remedy } : {}) })
    return ''
  }
  for (const [file, path] of tokenFiles(settings)) if (file !== undefined) read(file, path)
  settings.lines.forEach((line, i) => {
    const { smsc } = line
    if (smsc.passwordFile) smsc.password = read(smsc.passwordFile, ['lines', i, 'smsc', 'passwordFile'])
    if (smsc.password === undefined) {
      problems.push({
        where: where(['lines', i, 'smsc']),
        what: `line '${line.name}' has neither password nor passwordFile`,
      })
    } else if (Buffer.byteLength(smsc.password, 'latin1') > 8) {
      const what = `the password of line '${line.name}' has more than 8 characters (SMPP v3.4 §5.2.2)`
      problems.push({ where: where(['lines', i, 'smsc']), what })
    }
  })
  readStoreSecrets(settings, read)
  return problems
}

/** Files with tokens. They are read where they are used; this checks that we can read them, and others cannot. */
function tokenFiles({ backends, apps, door, privacy, log }: Settings): [string | undefined, PropertyKey[]][] {
  return [
    ...Object.entries(backends).map(([name, how]): [string | undefined, PropertyKey[]] => [
      'http' in how ? how.http.tokenFile : undefined,
      ['backends', name, 'http', 'tokenFile'],
    ]),
    ...Object.entries(apps).map(([name, app]): [string | undefined, PropertyKey[]] => [
      app.tokenFile,
      ['apps', name, 'tokenFile'],
    ]),
    [door?.tokenFile, ['door', 'tokenFile']],
    [privacy.storeKeyFile, ['privacy', 'storeKeyFile']],
    [log.msisdnKeyFile, ['log', 'msisdnKeyFile']],
  ]
}

type ReadSecret = (file: string, path: PropertyKey[]) => string

function readStoreSecrets({ redis, postgres }: Settings, read: ReadSecret): void {
  if (postgres !== 'embedded' && postgres.passwordFile) {
    postgres.url = withPassword(postgres.url, read(postgres.passwordFile, ['postgres', 'passwordFile']))
  }
  if (redis === 'embedded') return
  if (redis.sentinel?.passwordFile) {
    redis.sentinel.password = read(redis.sentinel.passwordFile, ['redis', 'sentinel', 'passwordFile'])
  }
  if (!redis.passwordFile) return
  const password = read(redis.passwordFile, ['redis', 'passwordFile'])
  if (redis.url) redis.url = withPassword(redis.url, password)
  else if (redis.cluster) redis.cluster = redis.cluster.map((url) => withPassword(url, password))
  else redis.password = password
}

function withPassword(address: string, password: string): string {
  const url = new URL(address)
  url.password = encodeURIComponent(password)
  return url.toString()
}

/**
 * If the environment sets one of the two, removes the other one of the file. Answers the paths that still have both.
 */
export function onePassword(raw: unknown, origins: Origins, path: string[] = []): string[][] {
  if (raw === null || typeof raw !== 'object') return []
  const holder = raw as Record<string, unknown>
  const deeper = Object.entries(holder).flatMap(([key, inner]) => onePassword(inner, origins, [...path, key]))
  if (holder.password === undefined || holder.passwordFile === undefined) return deeper
  const inFile = ['password', 'passwordFile'].filter((key) => origins.get([...path, key].join('.')) === 'file')
  const [spare] = inFile
  if (inFile.length !== 1 || spare === undefined) return [...deeper, [...path, 'passwordFile']]
  delete holder[spare]
  origins.delete([...path, spare].join('.'))
  return deeper
}
