import assert from 'node:assert/strict'
import { bindRequest, withoutPassword } from '../../../src/smpp/session/bind-request.ts'

const SMSC = { systemType: '', interfaceVersion: 0x34, addrTon: 0, addrNpi: 0, addressRange: '' }

describe('the bind request in a trace', () => {
  it('has eight asterisks for its password, whatever its names and its length', () => {
    for (const role of ['transceiver', 'transmitter', 'receiver'] as const) {
      for (const systemId of ['', 'a', 'ussd']) {
        for (const password of ['', 'p', 'secret08']) {
          const coded = bindRequest(role, { ...SMSC, systemId, password } as never)
          assert.ok('octets' in coded)
          const shown = withoutPassword(coded.octets)
          assert.equal(shown.readUInt32BE(0), shown.length)
          assert.equal(shown.subarray(16).toString('latin1').split('\0').slice(0, 2).join(), `${systemId},********`)
        }
      }
    }
  })
  it('hides all that may be a password where no end of it is to be seen', () => {
    const octets = Buffer.concat([Buffer.from([0, 0, 0, 27, 0, 0, 0, 9]), Buffer.alloc(8), Buffer.from('ussd\0secret')])
    assert.equal(withoutPassword(octets).toString('latin1', 16), 'ussd\0********\0')
    const nameless = Buffer.concat([octets.subarray(0, 16), Buffer.from('secret')])
    assert.ok(!withoutPassword(nameless).includes('secret'))
  })
  it('is left alone where it has none', () => {
    for (const octets of [
      Buffer.alloc(15),
      Buffer.concat([Buffer.from([0, 0, 0, 16, 0, 0, 0, 0x15]), Buffer.alloc(8)]),
    ])
      assert.equal(withoutPassword(octets), octets)
  })
})
