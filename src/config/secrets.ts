/** Passwords and other secrets of the settings: reads them from their files, and accepts each from one source only. */
import { openToOthers, type Problem, readSecretFile } from '../base/index.ts'
import { doorSecrets } from './door.ts'
import { secretAt } from './explain.ts'
import type { Origins } from './load.ts'
import { withoutSecrets } from './print.ts'
import type { Settings } from './schema.ts'

/** Reads every file that holds a secret. A fault of a file is a problem at its path. */
export function readSecrets(settings: Settings, where: (path: PropertyKey[]) => string): Problem[] {
  const problems: Problem[] = []
  const read = (file: string, path: PropertyKey[]): string => {
    const secret = readSecretFile(file)
    if ('text' in secret) return secret.text.replace(/\r?\n$/, '')
    problems.push({ where: where(path), what: secret.fault, ...(secret.remedy ? { remedy: secret.remedy } : {}) })
    return ''
  }
  for (const [file, path] of secretFiles(settings)) if (file !== undefined) read(file, path)
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

/**
 * Files with tokens and keys. Other code reads them where it uses them; here we check only that we can read them and
 * others cannot.
 */
function secretFiles(settings: Settings): [string | undefined, PropertyKey[]][] {
  const { lines, backends, apps, admin, redis, postgres, privacy, log } = settings
  return [
    ...lines.map(({ smsc }, i): [string | undefined, PropertyKey[]] => [
      smsc.tls?.key,
      ['lines', i, 'smsc', 'tls', 'key'],
    ]),
    [redis === 'embedded' ? undefined : redis.tls?.key, ['redis', 'tls', 'key']],
    [postgres === 'embedded' ? undefined : postgres.tls?.key, ['postgres', 'tls', 'key']],
    [admin.tokensFile, ['admin', 'tokensFile']],
    [admin.trustedProxy?.secretFile, ['admin', 'trustedProxy', 'secretFile']],
    ...Object.entries(backends).map(([name, how]): [string | undefined, PropertyKey[]] => [
      'http' in how ? how.http.tokenFile : undefined,
      ['backends', name, 'http', 'tokenFile'],
    ]),
    ...Object.entries(apps).map(([name, app]): [string | undefined, PropertyKey[]] => [
      app.tokenFile,
      ['apps', name, 'tokenFile'],
    ]),
    ...doorSecrets(settings),
    ...Object.entries(settings.smsHooks).map(([name, { keyFile }]): [string | undefined, PropertyKey[]] => [
      keyFile,
      ['smsHooks', name, 'keyFile'],
    ]),
    [settings.alarms.hook?.keyFile, ['alarms', 'hook', 'keyFile']],
    ...settings.testDials.map(({ dialler }, i): [string | undefined, PropertyKey[]] => [
      dialler?.tokenFile,
      ['testDials', i, 'dialler', 'tokenFile'],
    ]),
    [privacy.storeKeyFile, ['privacy', 'storeKeyFile']],
    [log.msisdnKeyFile, ['log', 'msisdnKeyFile']],
  ]
}

/** What others learn if they can read the settings file. */
export interface Exposed {
  /** Passwords: the file is refused, like any file with a secret. */
  problems: Problem[]
  /**
   * Paths of values that may be secrets, such as a header, and in a trial also passwords. The daemon only warns.
   */
  perhaps: string[]
}

export function exposedIn(
  { raw, origins, where }: { raw: unknown; origins: Origins; where(path: PropertyKey[]): string },
  { file, mode, isTrial }: { file: string; mode: number; isTrial: boolean },
): Exposed {
  const fault = openToOthers(file, mode)
  if (!fault) return { problems: [], perhaps: [] }
  const written = [...origins].flatMap(([key, by]) => (by === 'file' ? [key.split('.')] : []))
  const sure = written.find((path) => isPassword(path, textAt(raw, path)))
  const perhaps = written.filter((path) => mayBeSecret(path, textAt(raw, path))).map((path) => path.join('.'))
  if (!sure) return { problems: [], perhaps }
  if (isTrial) return { problems: [], perhaps: [sure.join('.'), ...perhaps] }
  const what = `'${sure.join('.')}' is a secret, and ${fault.fault}`
  return { problems: [{ where: where(sure), what, remedy: `${fault.remedy}; or use passwordFile` }], perhaps }
}

function isPassword(path: string[], text: string): boolean {
  const isInAddress = /^[a-z][\w+.-]*:\/\/[^?#]*:[^?#]+@/i.test(text)
  return text !== '' && (isInAddress || secretAt(path)?.sure === true)
}

function mayBeSecret(path: string[], text: string): boolean {
  return secretAt(path)?.sure === false || withoutSecrets(text) !== text
}

function textAt(raw: unknown, path: string[]): string {
  const value = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | null | undefined)?.[key], raw)
  return typeof value === 'string' ? value : ''
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
 * If the environment sets one of the two keys, the other one in the file is removed. Returns the paths that still have
 * both.
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
