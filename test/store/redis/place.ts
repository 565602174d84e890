/** A place in the tests' Redis: stores under a prefix of their own. */
import { Redis } from 'ioredis'
import type { DialogueLimits, DialogueStore } from '../../../src/dialogue/types.ts'
import { redisDialogues, type RedisDialoguesOptions } from '../../../src/store/redis/store.ts'
import type { Place } from '../../contract/dialogue-store.ts'
import { recordingOf } from '../../contract/dialogue-fixture.ts'
import { services } from '../../support/services.ts'

export interface RedisPlace extends Place {
  prefix: string
  open(limits?: DialogueLimits, more?: Partial<RedisDialoguesOptions>): Promise<DialogueStore>
}

let serial = 0

export async function redisPlace(usual: DialogueLimits): Promise<RedisPlace> {
  const prefix = `t${process.pid}-${++serial}`
  const stores: DialogueStore[] = []
  return {
    prefix,
    durable: true,
    async open(limits = usual, more = {}) {
      const store = await redisDialogues({
        servers: { url: services.redisUrl! },
        prefix,
        limits,
        recording: recordingOf(),
        ...more,
      } as RedisDialoguesOptions)
      stores.push(store)
      return store
    },
    async clear() {
      await Promise.all(stores.map((store) => store.close()))
      const client = new Redis(services.redisUrl!)
      const keys = await client.keys(`${prefix}:*`)
      if (keys.length > 0) await client.del(keys)
      client.disconnect()
    },
  }
}
