import assert from 'node:assert/strict'
import { addressBehind, callerOf, isNetwork, networksOf } from '../../src/base/networks.ts'

describe('networks of callers', () => {
  it('are written as an address, or as an address and a number of bits', () => {
    for (const good of ['192.0.2.1', '192.0.2.0/24', '0.0.0.0/0', '2001:db8::/32', '::1', '::/0'])
      assert.ok(isNetwork(good), good)
    for (const bad of [
      '',
      'host',
      '192.0.2',
      '192.0.2.0/33',
      '192.0.2.0/',
      '::/129',
      '1.2.3.4/-1',
      '192.0.2.0/24 ',
      '::g',
    ])
      assert.ok(!isNetwork(bad), bad)
  })

  it('contain addresses of their own family, however those are written', () => {
    const isIn = networksOf(['192.0.2.0/24', '2001:db8::/32', '198.51.100.7'])
    for (const inside of ['192.0.2.255', '::ffff:192.0.2.1', '2001:db8:1::1', '198.51.100.7'])
      assert.ok(isIn(inside), inside)
    for (const outside of ['192.0.3.1', '198.51.100.8', '2001:db9::1', '', 'x', '::1'])
      assert.ok(!isIn(outside), outside)
    assert.ok(!networksOf([])('192.0.2.1'))
  })

  it('one caller is an IPv4 address or an IPv6 /64', () => {
    assert.equal(callerOf('192.0.2.1'), '192.0.2.1')
    assert.equal(callerOf('::ffff:192.0.2.1'), '192.0.2.1')
    const one = [
      '2001:db8:0:1::',
      '2001:db8::1:0:0:0:5',
      '2001:0db8:0000:0001:aaaa:bbbb:cccc:dddd',
      '2001:db8:0:1::9%eth0',
    ]
    for (const address of one) assert.equal(callerOf(address), '2001:db8:0:1::/64', address)
    assert.notEqual(callerOf('2001:db8:0:2::1'), callerOf('2001:db8:0:1::1'))
    assert.equal(callerOf('::1'), '0:0:0:0::/64')
    assert.equal(callerOf(''), '')
  })

  it('behind a proxy the caller is the last address that is not a proxy of ours', () => {
    const isProxy = networksOf(['10.0.0.0/8', '127.0.0.1'])
    const from = (peer: string, forwarded?: string) => addressBehind(peer, forwarded, isProxy)
    assert.equal(from('203.0.113.9', '198.51.100.1'), '203.0.113.9', 'who is no proxy of ours may write what he wants')
    assert.equal(from('10.0.0.1'), '10.0.0.1')
    assert.equal(from('::ffff:10.0.0.1', '198.51.100.1'), '198.51.100.1')
    assert.equal(
      from('127.0.0.1', '1.1.1.1, 198.51.100.1, 10.0.0.2'),
      '198.51.100.1',
      'the first one was written by the caller',
    )
    assert.equal(from('10.0.0.1', 'unknown, 10.0.0.3'), '10.0.0.3')
    assert.equal(from('10.0.0.1', `${'9.9.9.9,'.repeat(5_000)}10.0.0.2`), '9.9.9.9')
  })
})
