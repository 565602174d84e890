import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { dialogueFixture, LIMITS } from '../../contract/dialogue-fixture.ts'
import { dialogueStoreContract } from '../../contract/dialogue-store.ts'
import { describeWith, services } from '../../support/services.ts'
import { redisPlace } from './place.ts'

describeWith(['redis'], 'the dialogue store in Redis', () => {
  dialogueStoreContract(() => redisPlace(LIMITS))

  it('erases a subscriber among thousands of other keys', async () => {
    const place = await redisPlace(LIMITS)
    const store = await place.open()
    const client = new Redis(services.redisUrl!)
    try {
      const others = Array.from({ length: 5_000 }, (_, n) => [`${place.prefix}:other:${n}`, '']).flat()
      await client.mset(...others)
      const { asked, find } = dialogueFixture(store)
      for (const group of ['main', 'b', 'c', 'd']) await asked({ group })
      assert.equal(await store.erase('67570000001'), 4)
      assert.equal(await find(), null)
      assert.equal((await client.keys(`${place.prefix}:other:*`)).length, 5_000)
    } finally {
      client.disconnect()
      await place.clear()
    }
  })
})
