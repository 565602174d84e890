import assert from 'node:assert/strict'
import { cases, corpus, dialects } from './pdu-corpus.ts'
import { eat, framed, type Eaten } from './pdu-eater.ts'
import { mutate, MUTATORS } from './pdu-mutators.ts'
import { seededChance } from '../../src/simulator/smsc/chaos.ts'
import type { Dialect } from '../../src/smpp/types.ts'

const BEGIN = corpus().find((sample) => sample.id === 'standard begin')!.octets
const standard = dialects().get('standard')!

describe('the fuzzer of R4', () => {
  it('starts from every case, every vector and every profile', () => {
    const all = corpus()
    assert.ok(all.length > cases().length + 100)
    assert.deepEqual(
      [...dialects().keys()].filter((name) => !all.some((sample) => sample.id === `${name} begin`)),
      [],
    )
  })
  it('spoils the same PDU in the same way for the same seed, in another for another', () => {
    const spoilt = (seed: number) => {
      const chance = seededChance(seed)
      return Array.from({ length: 50 }, () => mutate(BEGIN, chance, BEGIN).toString('hex'))
    }
    assert.deepEqual(spoilt(1), spoilt(1))
    assert.notDeepEqual(spoilt(1), spoilt(2))
  })
  for (const [name, mutator] of Object.entries(MUTATORS)) {
    it(`${name}: never throws, leaves its original alone, and ${name === 'whole' ? 'changes nothing' : 'does change something'}`, () => {
      const chance = seededChance(3)
      const before = BEGIN.toString('hex')
      const changed = Array.from({ length: 200 }, () => mutator(BEGIN, chance, BEGIN)).some(
        (octets) => !octets.equals(BEGIN),
      )
      for (let length = 0; length < BEGIN.length; length++) mutator(BEGIN.subarray(0, length), chance, Buffer.alloc(0))
      assert.equal(BEGIN.toString('hex'), before)
      assert.equal(changed, name !== 'whole')
    })
  }
  it('counts what becomes of octets', () => {
    const eaten: Eaten = {}
    const lie = Buffer.from(BEGIN)
    lie.writeUInt32BE(3)
    eat(Buffer.concat([BEGIN, lie]), standard, () => 0, eaten)
    assert.deepEqual(eaten, { framingFaults: 1, frames: 1, ussd: 1 })
  })
  it('finds a dialect that throws, one that takes no number for one, and one that cannot answer', () => {
    const broken = (change: Partial<Dialect>) => () => eat(BEGIN, { ...standard, ...change }, () => 0, {})
    const read = standard.read.bind(standard)
    assert.throws(
      broken({
        read: () => {
          throw new Error('mine')
        },
      }),
      /mine/,
    )
    assert.throws(broken({ read: () => ({ is: 'reject', status: 0, why: 'x' }) }), /ESME_ROK/)
    assert.throws(
      broken({
        read: (pdu) => {
          const incoming = read(pdu)
          if (incoming.is === 'ussd') incoming.message.msisdn = '+675'
          return incoming
        },
      }),
      /not an MSISDN/,
    )
    assert.throws(
      broken({ write: () => ({ pdu: { command: 'submit_sm', body: { source_addr: 'x\0' }, tlvs: [] }, cut: false }) }),
      /no reply can be written/,
    )
  })
  it('cuts octets into frames, to the first that cannot be', () => {
    assert.equal(framed([BEGIN, BEGIN]).frames.length, 2)
    assert.equal(framed([Buffer.from('00000004', 'hex')]).fault?.commandLength, 4)
  })
})
