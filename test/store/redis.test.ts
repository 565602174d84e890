import { LIMITS } from '../contract/dialogue-scene.ts'
import { dialogueStoreContract } from '../contract/dialogue-store.ts'
import { describeWith } from '../support/services.ts'
import { redisPlace } from './redis-place.ts'

describeWith(['redis'], 'the dialogue store in Redis', () => {
  dialogueStoreContract(() => redisPlace(LIMITS))
})
