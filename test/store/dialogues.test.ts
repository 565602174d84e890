import assert from 'node:assert/strict'
import { dialogueRegister } from '../../src/store/dialogues.ts'
import type { Change, Register } from '../../src/store/register.ts'
import { LIMITS } from '../contract/dialogue-fixture.ts'

const KEY = { group: 'main', msisdn: '67570000001' }
/** As no release writes it, with a blank: so it is seen whether the text was kept. */
const SNAPSHOT = '{"value": "main"}'
const VALUE = `3utoken/x 2 e1\n["r","17","*123#","i","1",null,"akiba",[1,1,0,0,1,"123","USSD","0a01"],1,0,["a@1","c","Hi",null,"l"]]\n${SNAPSHOT}`

describe('a dialogue that is written over what was read', () => {
  const written: string[] = []
  const register = dialogueRegister({
    limits: LIMITS,
    register: {
      read: async () => ({ value: VALUE, at: 'main:67570000001' }),
      write: async (_slot: unknown, { value }: Change) => written.push(value!) > 0,
    } as unknown as Register,
  })
  const snapshotAfter = async (next: (snapshot: object) => object) => {
    const from = (await register.read(KEY, { nowMs: 0, unreadable: 'refuse' }))!
    const entry = { ...from.entry, version: 'next', snapshot: next(from.entry.snapshot!) as never }
    await register.write(KEY, { from, entry, nowMs: 2 })
    return written.pop()!.split('\n')[2]
  }

  it('has the same text of its snapshot, if that is the same', async () => {
    assert.equal(await snapshotAfter((snapshot) => snapshot), SNAPSHOT)
  })

  it('has the text of another snapshot, also of one that looks the same', async () => {
    assert.equal(await snapshotAfter((snapshot) => ({ ...snapshot })), '{"value":"main"}')
    assert.equal(await snapshotAfter(() => ({ value: 'sure' })), '{"value":"sure"}')
  })
})
