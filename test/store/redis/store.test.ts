import { LIMITS } from '../../contract/dialogue-fixture.ts'
import { dialogueStoreContract } from '../../contract/dialogue-store.ts'
import { describeWith } from '../../support/services.ts'
import { redisPlace } from './place.ts'

describeWith(['redis'], 'the dialogue store in Redis', () => {
  dialogueStoreContract(() => redisPlace(LIMITS))
})
