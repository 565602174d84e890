/**
 * SMS that wait for Postgres, in one hash of Redis: `prefix:owed-sms`. Values are hidden like those of dialogues, each
 * bound to its id.
 */
import { StoreError } from '../../base/index.ts'
import type { OwedShelf } from '../../sms/requests/index.ts'
import { plainSealer, type Sealer } from '../seal.ts'
import { patiently } from './connection.ts'
import type { Client } from './servers.ts'

export interface RedisOwedOptions {
  /** The client of the dialogues: its owner listens for errors and closes it. */
  client: Client
  prefix?: string
  sealer?: Sealer
  max?: number
}

/** Answers of back ends: an hour without Postgres at thirty bookings a second, some 50 MB. */
const OWED_MAX = 100_000
/** What a value is sealed as, with its id. */
const OWED = 'owed-sms'
const SCAN = 1_000

export function redisOwed({
  client,
  prefix = 'ussd',
  sealer = plainSealer,
  max = OWED_MAX,
}: RedisOwedOptions): OwedShelf {
  const hash = `${prefix}:${OWED}`
  /** Where the last look ended: the buckets before it may be empty by now. */
  let lookedTo = '0'
  const read = (id: string, stored: string) => {
    const [name = '', sealed = ''] = stored.split('\n')
    return { id, value: sealer.named(name).open(sealed, `${OWED} ${id}`) }
  }
  return {
    async put(id, msisdn, value) {
      if ((await client.hlen(hash)) >= max) throw new StoreError('too-large', FULL)
      const place = sealer.place({ group: OWED, msisdn })
      await client.hset(hash, id, `${place.name}\n${place.seal(value, `${OWED} ${id}`)}`)
    },
    async some(limit) {
      const found: [string, string][] = []
      do {
        const [next, some] = await client.hscan(hash, lookedTo, 'COUNT', SCAN)
        lookedTo = next
        found.push(...pairs(some))
      } while (lookedTo !== '0' && found.length < limit)
      return found.flatMap(([id, stored]) => {
        try {
          return [read(id, stored)]
        } catch (error) {
          // Another daemon may have its key.
          if (error instanceof StoreError && error.code === 'sealed') return []
          return [{ id, value: '' }]
        }
      })
    },
    remove: async (id) => void (await client.hdel(hash, id)),
    async erase(msisdn) {
      const { name } = sealer.place({ group: OWED, msisdn })
      let cursor = '0'
      let erased = 0
      do {
        const [next, found] = await patiently(() => client.hscan(hash, cursor, 'COUNT', SCAN))
        cursor = next
        const his = pairs(found).filter(([, stored]) => stored.startsWith(`${name}\n`))
        if (his.length === 0) continue
        const removed = () => client.hdel(hash, ...his.map(([id]) => id))
        erased += await patiently((tries) => removed().then((n) => (tries > 1 ? his.length : n)))
      } while (cursor !== '0')
      return erased
    },
  }
}

const FULL = `${OWED_MAX} answers with SMS wait for Postgres: no more are kept`

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!])
}
