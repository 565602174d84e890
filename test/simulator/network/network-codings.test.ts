/**
 * Every dialect profile spoken from both ends: the daemon's reader hears the network, the network hears the daemon's
 * writer.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { compileDialect, pushPath } from '../../../src/smpp/dialect/dialect.ts'
import { dialectNames, loadProfile } from '../../../src/smpp/dialect/load.ts'
import type { Pdu } from '../../../src/smpp/types.ts'
import { packageRoot } from '../../../src/base/package-root.ts'
import { readPdu, writePdu } from '../../../src/simulator/codec/codec.ts'
import { profileCoding } from '../../../src/simulator/network/profile-encoder.ts'
import type { NetworkRequest } from '../../../src/simulator/network/coding.ts'

const DIR = join(packageRoot, 'dialects')
const JOHN = '67570000001'

/** Over the wire and back: what is not in the octets is not there. */
function wired(pdu: NetworkRequest | { command: string; body: Pdu['body']; tlvs: Pdu['tlvs'] } | null): Pdu {
  assert.ok(pdu, 'nothing was said')
  const result = readPdu(writePdu({ ...pdu, sequence: 7 }))
  assert.ok(result.ok)
  return result.pdu
}

describe('a dialect profile from the network side', () => {
  for (const name of dialectNames(DIR)) {
    describe(name, () => {
      const profile = loadProfile(name, DIR)
      const coding = profileCoding(profile)
      const dialect = compileDialect(profile)
      const opened = (number = 300) =>
        coding.open({
          number,
          msisdn: JOHN,
          source: [1, 1, JOHN],
          code: '*123#',
          by: 'subscriber',
          beginOp: 1,
        })
      const read = (spoken: NetworkRequest | null) => {
        const incoming = dialect.read(wired(spoken))
        assert.equal(incoming.is, 'ussd')
        return (incoming as Extract<typeof incoming, { is: 'ussd' }>).message
      }

      it('begins so that the daemon reads the code, the subscriber, and the network number', () => {
        for (const code of ['*123#', '*675#', '*123*2*2#']) {
          const dialogue = coding.open({
            number: 3,
            msisdn: JOHN,
            source: [1, 1, JOHN],
            code,
            by: 'subscriber',
            beginOp: 1,
          })
          const message = read(coding.say('begin', dialogue, ''))
          assert.deepEqual(
            [message.kind, message.code, message.msisdn, message.network],
            ['begin', code, JOHN, dialogue.id],
          )
        }
      })

      it('carries typed text, and names the same dialogue', () => {
        const dialogue = opened()
        for (const typed of ['2', 'Mary Ann', 'x'.repeat(182)]) {
          const message = read(coding.say('input', dialogue, typed))
          assert.deepEqual([message.kind, message.text, message.network], ['input', typed, dialogue.id])
        }
        // More than short_message holds goes into message_payload; the daemon keeps as much as it likes of it.
        const long = read(coding.say('input', dialogue, 'x'.repeat(300))).text
        assert.ok(long.length >= 182 && 'x'.repeat(300).startsWith(long))
        assert.notEqual(opened(301).id, profile.inbound.session.from.length ? dialogue.id : 'none')
      })

      it('tells of a hang-up and of a time-out, or says nothing at all', () => {
        for (const event of ['abort', 'timeout'] as const) {
          const said = coding.say(event, opened(), '')
          if (said) assert.ok(['abort', 'end', 'timeout'].includes(read(said).kind))
        }
      })

      it('hears the daemon continue, end and notify, with the exact text', () => {
        const dialogue = opened()
        const path = read(coding.say('begin', dialogue, '')).returnPath
        for (const [action, meant] of [
          ['continue', 'ask'],
          ['end', 'end'],
          ['notify', 'notify'],
        ] as const) {
          const octets = (what: 'end' | typeof action) =>
            wired(dialect.write({ action: what, text: 'Welcome!\n1. Go' }, path).pdu)
          // Some gateways tell two actions apart by nothing at all.
          const isSame = JSON.stringify(octets(action)) === JSON.stringify(octets('end'))
          const heard = coding.decode(octets(action), 'subscriber')
          assert.ok(heard)
          assert.deepEqual([heard.action, heard.decoding.text], [isSame ? 'end' : meant, 'Welcome!\n1. Go'])
          assert.ok(heard.id === null || heard.id === dialogue.id, `${heard.id} is not ${dialogue.id}`)
          assert.equal(heard.msisdn, JOHN)
        }
      })

      it('hears a push, and the end of it', () => {
        const path = pushPath(profile, { msisdn: JOHN, source: '123', n: 5 })
        const question = coding.decode(wired(dialect.write({ action: 'push-begin', text: 'Pay now?' }, path).pdu), null)
        assert.deepEqual([question?.action, question?.decoding.text], ['ask', 'Pay now?'])
        const last = coding.decode(wired(dialect.write({ action: 'push-end', text: 'Paid' }, path).pdu), 'esme')
        assert.equal(last?.action, 'end')
      })

      it('takes an SMS for an SMS', () => {
        const body = { source_addr: 'CLINIC', destination_addr: JOHN, short_message: Buffer.from('Reminder') }
        assert.equal(coding.decode(wired({ command: 'submit_sm', body, tlvs: [] }), null), null)
      })
    })
  }
})
