/**
 * Unfinished SMS of subscribers in Redis. `prefix:{b<0…63>}:s:<group>:<msisdn>` has those of one subscriber, and
 * `prefix:{b<n>}:sms` has the deadlines of its bucket. Names and values are hidden like those of dialogues. A change is
 * read, computed here, and written if nobody else wrote meanwhile: two parts of one subscriber seldom come at the same
 * moment.
 */
import { randomBytes } from 'node:crypto'
import type { StoreFault } from '../../dialogue/index.ts'
import { pooled, StoreError } from '../../base/index.ts'
import type { Changed, HeldDeps, PartShelf } from '../../sms/inbox/index.ts'
import { plainSealer, type SealPlace, type Sealer } from '../seal.ts'
import { redisRegister } from './register.ts'
import type { Client } from './servers.ts'

export interface RedisPartsOptions {
  /** The client of the dialogues: its owner listens for errors and closes it. */
  client: Client
  prefix?: string
  sealer?: Sealer
  /** How many subscribers may have unfinished texts. Above that the SMSC must keep them. */
  subscribersMax: number
  onFault?: (fault: StoreFault) => void
}

/** What a value is sealed as. A dialogue may have the same name. */
const PARTS = 'sms-parts'
/** More daemons than this never get parts of one subscriber at once. */
const TRIES_MAX = 20
/** A value that nobody reads expires this long after it was due. */
const BACKSTOP_MS = 3_600_000
const KIND = { letter: 's', index: 'sms' } as const
const FULL = 'as many subscribers have unfinished SMS as sms.long.subscribersMax allows'
/** Form and flag. The random version and the sealed value follow. */
const FORM = '2-'
const HEAD = /^2-(\S+) \n(.*)$/s
const VERSION_OCTETS = 9

export function redisParts(options: RedisPartsOptions): PartShelf {
  const { client, prefix = 'ussd', sealer = plainSealer, onFault, subscribersMax } = options
  const register = redisRegister({ client, prefix, kind: KIND, max: { count: subscribersMax, what: FULL }, onFault })
  const random = pooled(randomBytes)

  /**
   * An altered value is put aside. A value that is sealed with an unknown key is left to the daemon that has the key.
   */
  async function read(place: SealPlace): Promise<{ held: HeldDeps; version: string; at: string } | null> {
    const stored = await register.read(place)
    if (stored === null) return null
    const [, version = '', sealed = stored.value] = HEAD.exec(stored.value) ?? []
    try {
      const held = place.open(sealed, PARTS)
      if (version === '') throw new Error('not in a form that this release knows')
      return { version, at: stored.at, held: JSON.parse(held) as HeldDeps }
    } catch (error) {
      if (error instanceof StoreError && error.code === 'sealed') throw error
      onFault?.(error instanceof StoreError && error.code === 'unsealed' ? 'unsealed' : 'corrupt')
      await register.putAside(place, stored)
      return null
    }
  }

  async function change<T>(place: SealPlace, run: (held: HeldDeps | null) => Changed<T>): Promise<T> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const now = await read(place)
      const { held, dueMs, liveMs, result } = run(now?.held ?? null)
      const version = Buffer.from(random(VERSION_OCTETS)).toString('base64url')
      const value = held && `${FORM}${version} \n${place.seal(JSON.stringify(held), PARTS)}`
      const written = await register.write(place, {
        from: now,
        value,
        dueMs,
        nowMs: 0,
        untilMs: liveMs + BACKSTOP_MS,
      })
      if (written) return result
    }
    throw new StoreError('down', "parts of one subscriber's SMS came at too many daemons at once")
  }

  return {
    change: (key, run) => change(sealer.place(key), run),
    async changeDue<T>(nowMs: number, limit: number, run: (held: HeldDeps) => Changed<T>) {
      const names = await register.due(nowMs, limit)
      const gone: Changed<null> = { held: null, dueMs: 0, liveMs: 0, result: null }
      const one = (name: string) => change<T | null>(sealer.named(name), (held) => (held ? run(held) : gone))
      const all = await Promise.all(names.map((name) => one(name).catch(leave)))
      return all.filter((result) => result !== null)
    },
    find: async (key) => (await read(sealer.place(key)))?.held ?? null,
    erase: (msisdn) => register.erase(msisdn, sealer.hidden(msisdn)),
  }
}

/** A value that cannot be opened here must not block the others. */
function leave(error: unknown): null {
  if (error instanceof StoreError && error.code === 'sealed') return null
  throw error
}
