/**
 * The file of the keys with which dialogues are sealed (privacy.storeKeyFile), and how the daemon follows its changes.
 *
 *     names: <32 octets, base64>     hides numbers in the names of dialogues; stays when the others change
 *     k3f9a1c: <32 octets, base64>   seals what is written
 *     kbb0172: <32 octets, base64>   older ones: they read what they sealed
 */
import {
  ProblemsError,
  UsageError,
  type Problem,
  type Log,
  type Counters,
  readSecretFile,
  saidOfFault,
} from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'
import type { KeyRing, StoreKey } from './seal.ts'

export type StoreKeys = Omit<KeyRing, 'writer'>

const NAMES = 'names'
const SECRET_OCTETS = 32
/** A dialogue lives for minutes, exact texts for days: with more keys than this, the oldest hardly seal anything. */
const KEYS_MAX = 8

/** Throws ProblemsError with everything that is wrong with the text, but never with its content. */
export function parseStoreKeys(file: string, text: string): StoreKeys {
  const problems: Problem[] = []
  const keys: StoreKey[] = []
  text.split(/\r?\n/).forEach((line, i) => {
    const written = line.replace(/(^|\s)#.*$/, '').trim()
    if (written === '') return
    const [, id, base64] = /^([a-z][a-z0-9]{1,15}):\s*([A-Za-z0-9+/_-]{42,44}=?)$/.exec(written) ?? []
    const secret = Buffer.from(base64 ?? '', 'base64')
    const where = `${file}:${i + 1}`
    if (id === undefined || secret.length !== SECRET_OCTETS) {
      const what = `is not an id, a colon and ${SECRET_OCTETS} octets in base64`
      problems.push({ where, what, remedy: 'ussd-connector store-key writes such lines' })
    } else if (keys.some((key) => key.id === id)) problems.push({ where, what: `there are two keys '${id}'` })
    else keys.push({ id, secret })
  })
  const names = keys.find((key) => key.id === NAMES)?.secret
  const seals = keys.filter((key) => key.id !== NAMES)
  if (!problems.length && (!names || !seals.length)) {
    problems.push({ where: file, what: `needs a key '${NAMES}' and one more`, remedy: 'ussd-connector store-key' })
  }
  if (seals.length > KEYS_MAX)
    problems.push({ where: file, what: `has over ${KEYS_MAX} keys`, remedy: 'remove the oldest, at the end' })
  if (problems.length) throw new ProblemsError(file, problems)
  return { names: names!, keys: seals }
}

/** A file with new keys. `old`, for a rotation: a new key before the old ones. `random` returns this many octets. */
export function writeStoreKeys(random: (octets: number) => Buffer, old?: StoreKeys): string {
  const line = ({ id, secret }: StoreKey) => `${id}: ${secret.toString('base64')}`
  const fresh = { id: `k${random(3).toString('hex')}`, secret: random(SECRET_OCTETS) }
  const rest = (old?.keys ?? []).slice(0, KEYS_MAX - 1)
  return [line({ id: NAMES, secret: old?.names ?? random(SECRET_OCTETS) }), line(fresh), ...rest.map(line), ''].join(
    '\n',
  )
}

export interface WatchedKeys {
  ring(): KeyRing
  stop(): void
}

export interface WatchDeps {
  file: string
  clock: Clock
  counters: Counters
  log: Log
}

/** How often to check the file. */
export const LOOK_MS = 10_000
/** A new key can read at once and writes after this time: by then every daemon has seen it. */
export const WRITES_AFTER_MS = 3 * LOOK_MS

/**
 * Throws UsageError or ProblemsError if the file is wrong at the start. Later it keeps the previous keys and logs the
 * problem.
 */
export function watchStoreKeys({ file, clock, counters, log }: WatchDeps): WatchedKeys {
  let text = readWhole(file)
  let keys = parseStoreKeys(file, text)
  let writer = keys.keys[0]!
  let writesFromMs = 0
  let wrong = ''
  let cancel = (): void => undefined

  const reload = () => {
    const next = readWhole(file)
    if (next === text) return
    const read = parseStoreKeys(file, next)
    if (!read.names.equals(keys.names))
      throw new UsageError(`${file}: the key '${NAMES}' changed: stop all daemons to change it`)
    text = next
    // Until the new key may write, the old one stays. If the old one was removed, there is nothing to wait for.
    const stays = read.keys.some((key) => key.id === writer.id)
    writesFromMs = stays ? clock.now() + WRITES_AFTER_MS : 0
    keys = read
    counters.count('store_key_reloads_total', { result: 'taken' })
    log.info({ keys: read.keys.map((key) => key.id) }, 'dialogue store keys reloaded')
  }
  const look = () => {
    try {
      reload()
      wrong = ''
    } catch (error) {
      const why = (error as Error).message
      if (why !== wrong) {
        counters.count('store_key_reloads_total', { result: 'refused' })
        log.error({ why }, 'privacy.storeKeyFile is invalid: the old keys stay in force')
      }
      wrong = why
    }
    cancel = clock.after(LOOK_MS, look)
  }
  cancel = clock.after(LOOK_MS, look)
  return {
    ring() {
      if (writer !== keys.keys[0] && clock.now() >= writesFromMs) writer = keys.keys[0]!
      return { ...keys, writer }
    },
    stop: () => cancel(),
  }
}

/** The key that stays when the others are replaced. Throws UsageError or ProblemsError. */
export function storeNamesKey(file: string): Buffer {
  return parseStoreKeys(file, readWhole(file)).names
}

function readWhole(file: string): string {
  const read = readSecretFile(file)
  if ('text' in read) return read.text
  throw new UsageError(saidOfFault(read, 'privacy.storeKeyFile'))
}
