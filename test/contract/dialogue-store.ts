/** What every dialogue store must do; the memory store and Redis are both held to it. */
import type { DialogueLimits, DialogueStore } from '../../src/dialogue/types.ts'
import { answering } from './dialogue-answers.ts'
import type { RecordingKept } from '../../src/store/dialogues.ts'
import { opening } from './dialogue-begins.ts'
import { ending } from './dialogue-ends.ts'
import { keeping } from './dialogue-keeping.ts'
import { LIMITS } from './dialogue-fixture.ts'
import { recordsOfDialogues } from './dialogue-records.ts'
import { sweeping } from './dialogue-sweeps.ts'

/** One place where dialogues are kept; a store on it can be closed and opened again. */
export interface Place {
  open(limits?: DialogueLimits, more?: { recording?: RecordingKept }): Promise<DialogueStore>
  /** False: what is closed is gone. */
  durable: boolean
  /** Closes what was opened and removes what was kept. */
  clear(): Promise<void>
}

/** For the parts of the suite: a store on an empty place, new for each test. */
export interface Held {
  readonly store: DialogueStore
  readonly place: Place
}

export function dialogueStoreContract(makePlace: () => Promise<Place>): void {
  let place: Place | undefined
  let store: DialogueStore | undefined
  const held: Held = {
    get store() {
      return store!
    },
    get place() {
      return place!
    },
  }
  beforeEach(async () => {
    place = await makePlace()
    store = await place.open(LIMITS)
  })
  afterEach(async () => {
    await place?.clear()
    place = store = undefined
  })
  describe('a begin', () => opening(held))
  describe('an answer', () => answering(held))
  describe('a rest, a renewal, a drop', () => ending(held))
  describe('deadlines', () => sweeping(held))
  describe('keeping', () => keeping(held))
  describe('call detail records', () => recordsOfDialogues(held))
}
