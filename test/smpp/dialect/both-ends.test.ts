import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compileDialect } from '../../../src/smpp/dialect/dialect.ts'
import { mintSession } from '../../../src/smpp/dialect/carrier.ts'
import { dialectNames, loadProfile } from '../../../src/smpp/dialect/load.ts'
import { compileNetwork, type Speech } from './network.ts'
import type { DialectProfile } from '../../../src/smpp/dialect/schema.ts'
import type { OutgoingPdu, Pdu } from '../../../src/smpp/types.ts'
import { transliterate } from '../../../src/ussd/text.ts'
import type { UssdKind, UssdMessage } from '../../../src/ussd/vocabulary.ts'
import { DIALECTS } from './support.ts'

const names = dialectNames(DIALECTS)
/** Events that a dialect has no way to say; all others it has. */
const UNSAID: Partial<Record<string, UssdKind[]>> = {
  babilon: ['end', 'abort'],
  'huawei-st': ['end'],
  'ng-node': ['end'],
  sixdee: ['end'],
}

describe('every dialect, from both ends', () => {
  it('is one of twenty', () => assert.equal(names.length, 20))

  for (const name of names) {
    const profile = loadProfile(name, DIALECTS)
    const dialect = compileDialect(profile)
    const network = compileNetwork(profile)

    it(`${name}: is read as the network meant it`, () => {
      for (const kind of ['begin', 'input', 'notify-ack', 'end', 'abort'] as const) {
        const pdu = network.say(speech(profile, { kind, text: kind === 'input' ? '2' : '' }))
        assert.equal(pdu === null, UNSAID[name]?.includes(kind) ?? false, kind)
        if (!pdu) continue
        const { message } = asUssd(dialect.read(pdu))
        assert.equal(message.kind, kind)
        assert.equal(message.msisdn, '67570000001')
        assert.equal(message.code, kind === 'begin' ? '*123*2#' : '')
        assert.equal(message.text, kind === 'input' ? '2' : '')
      }
    })

    it(`${name}: is one dialogue from begin to end, for any number of the network's`, () => {
      fc.assert(
        fc.property(
          fc.oneof(fc.constant(0), fc.nat(0x7fff)),
          fc.constantFrom('Aweh\n1 Balance', 'Баланс 5€', ''),
          (n, text) => {
            const begin = asUssd(
              dialect.read(network.say(speech(profile, { kind: 'begin', carrier: mintSession(profile, n) })) as Pdu),
            )
            const asked = network.hear(
              arrived(dialect.write({ action: 'continue', text }, begin.message.returnPath).pdu),
            )
            assert.equal(asked?.action, 'continue')
            const ascii = profile.outbound.text.ucs2 === false
            if (!ascii) assert.equal(asked?.text, transliterate(text))
            // What names the service besides the number stands in the other address on the way back.
            assert.equal(asked?.carrier.id.split('@')[0], begin.message.network.split('@')[0])
            const carrier = asked?.carrier.raw ?? Buffer.alloc(0)
            const input = asUssd(
              dialect.read(network.say(speech(profile, { kind: 'input', text: '2', carrier })) as Pdu),
            )
            assert.equal(input.message.network, begin.message.network)
            const ended = network.hear(
              arrived(dialect.write({ action: 'end', text: 'Bye' }, input.message.returnPath).pdu),
            )
            assert.equal(ended?.action, 'end')
            assert.equal(ended?.text, 'Bye')
          },
        ),
        { numRuns: 25 },
      )
    })

    it(`${name}: writes any text without throwing, within its page and 254 octets`, () => {
      const path = asUssd(dialect.read(network.say(speech(profile, { kind: 'begin' })) as Pdu)).message.returnPath
      const actions = fc.constantFrom('continue', 'end', 'notify', 'push-begin', 'push-end', 'abort')
      fc.assert(
        fc.property(fc.string({ unit: 'binary', maxLength: 300 }), actions, (text, action) => {
          const { pdu } = dialect.write({ action, text }, path)
          assert.ok(((pdu.body.short_message as Buffer | undefined)?.length ?? 0) <= 254)
          const heard = network.hear(arrived(pdu))
          assert.ok(heard !== null)
          if (profile.outbound.text.wrap === undefined) assert.ok(heard.octets <= 182)
        }),
        { numRuns: 50 },
      )
    })

    it(`${name}: reads any PDU without throwing`, () => {
      const octets = fc.uint8Array({ maxLength: 40 }).map((it) => Buffer.from(it))
      const tags = fc.array(
        fc.record({
          tag: fc.constantFrom(0x0501, 0x1383, 0x0204, 0x1501, 0x001e, 0x0203, 0x0202, 0x0380, 0x0424),
          value: octets,
        }),
        { maxLength: 6 },
      )
      const strings = fc.string({ maxLength: 20 })
      fc.assert(
        fc.property(octets, tags, strings, fc.nat(255), (short_message, tlvs, word, octet) => {
          const body = {
            service_type: word,
            source_addr_ton: octet,
            source_addr_npi: 1,
            source_addr: '67570000001',
            dest_addr_ton: 0,
            dest_addr_npi: 1,
            destination_addr: word,
            esm_class: octet,
            data_coding: octet,
            short_message,
            validity_period: word,
          }
          const read = dialect.read({ command: 'deliver_sm', status: 0, sequence: 1, body, tlvs })
          if (read.is !== 'ussd') return
          const kept = JSON.parse(JSON.stringify(read.message)) as UssdMessage
          assert.deepEqual(kept, read.message)
          dialect.write({ action: 'end', text: 'Bye' }, kept.returnPath)
        }),
        { numRuns: 100 },
      )
    })
  }
})

function speech(profile: DialectProfile, changes: Partial<Speech>): Speech {
  return {
    kind: 'begin',
    from: [1, 1, '67570000001'],
    to: [0, 1, '123'],
    carrier: mintSession(profile, 77),
    code: '*123*2#',
    text: '',
    sequence: 5,
    ...changes,
  }
}

function asUssd(read: ReturnType<ReturnType<typeof compileDialect>['read']>): { message: UssdMessage } {
  assert.equal(read.is, 'ussd')
  assert.ok(read.is === 'ussd')
  return read
}

function arrived(pdu: OutgoingPdu): Pdu {
  return { ...pdu, status: 0, sequence: 9 }
}
