import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { FAILED_MAX } from '../../src/base/lockout.ts'
import { createIngressAccess, type CallerSettings, type IngressCaller } from '../../src/ingress/access.ts'
import { ingressContract } from '../../src/ingress/contracts.ts'
import { stringToSign } from '../../src/base/http/signed-request.ts'

const TOKEN = 'token-of-the-first-caller'
const KEY = 'key-of-the-second-caller'
const services = [{ code: '*384#' }, { code: '*384*5#' }, { code: '*100#' }]
const only = (more: Partial<CallerSettings>): CallerSettings => ({
  name: 'first',
  token: TOKEN,
  msisdn: [],
  addresses: [],
  isolated: true,
  ...more,
})
const bearer = (token = TOKEN) => ({ authorization: `Bearer ${token}` })
const open = (...callers: CallerSettings[]) => createIngressAccess({ callers, services, line: 'door' })
const request = { method: 'POST', target: '/ussd', body: Buffer.from('x=1') }
const signed = (timestamp: string, key = KEY) => ({
  'x-ussd-key': 'second',
  'x-ussd-timestamp': timestamp,
  'x-ussd-signature': createHmac('sha256', key)
    .update(stringToSign({ ...request, timestamp }))
    .digest('hex'),
})
const known = (found: object): IngressCaller => {
  assert.ok('name' in found, JSON.stringify(found))
  return found as IngressCaller
}

describe('the callers of the HTTP ingress', () => {
  it('are known by their token, or by their key; each by its own', () => {
    const access = open(
      only({}),
      only({ name: 'second', token: undefined, key: KEY }),
      only({ name: 'both', token: 'token-of-the-third-one', key: KEY }),
    )
    const who = (headers: Record<string, string>) => access.identify(headers, '192.0.2.1', 0)
    assert.equal(known(who(bearer())).name, 'first')
    assert.equal(known(who(bearer('token-of-the-third-one'))).name, 'both')
    const second = known(who({ 'x-ussd-key': 'second' }))
    assert.deepEqual(who({}), { why: 'nobody' })
    // A token is not replaced by a signature, nor by a name.
    for (const headers of [
      { 'x-ussd-key': 'first' },
      { 'x-ussd-key': 'both' },
      { 'x-ussd-key': 'nobody' },
      bearer('x'),
    ])
      assert.deepEqual(who(headers), { why: 'wrong' })
    const admit = (caller: IngressCaller, headers: Record<string, string>, nowMs = 1_767_225_600_000) =>
      access.admit(caller, request, { headers, address: '192.0.2.1', nowMs })?.why
    assert.equal(admit(second, {}), 'unsigned')
    assert.equal(admit(second, signed('1767225600')), undefined)
    assert.equal(admit(second, signed('1767225600')), 'replay')
    assert.equal(admit(second, signed('1767225601', 'another-key')), 'signature')
    assert.equal(admit(second, signed('1767225000')), 'stale')
    assert.equal(admit(known(who(bearer('token-of-the-third-one'))), bearer('token-of-the-third-one')), 'unsigned')
  })

  it('who fail again and again are locked out by token and address; what is right is let in all the while', () => {
    const access = open(only({}), only({ name: 'second', token: undefined, key: KEY }))
    const wrong = (address: string) => access.identify(bearer('wrong'), address, 0)
    for (let i = 0; i < FAILED_MAX; i++) assert.deepEqual(wrong('192.0.2.1'), { why: 'wrong' })
    assert.deepEqual(wrong('192.0.2.1'), { why: 'locked', locks: true })
    assert.deepEqual(wrong('192.0.2.1'), { why: 'locked', locks: false })
    assert.deepEqual(wrong('192.0.2.2'), { why: 'wrong' })
    assert.equal(known(access.identify(bearer(), '192.0.2.1', 0)).name, 'first')
    const second = known(access.identify({ 'x-ussd-key': 'second' }, '192.0.2.1', 0))
    const tries = (timestamp: string, key: string) =>
      access.admit(second, request, { headers: signed(timestamp, key), address: '192.0.2.1', nowMs: 1_767_225_600_000 })
    for (let i = 0; i < FAILED_MAX; i++)
      assert.deepEqual(tries('1767225600', 'other'), { why: 'signature', who: 'second' })
    assert.deepEqual(tries('1767225600', 'other'), { why: 'locked', who: 'second', locks: true })
    assert.equal(tries('1767225600', KEY), null)
  })

  it('call from their addresses, at their rate', () => {
    const access = open(only({ addresses: ['192.0.2.0/24'], perSecond: 2 }))
    assert.deepEqual(access.identify(bearer(), '198.51.100.1', 0), { why: 'address', who: 'first' })
    const caller = known(access.identify(bearer(), '::ffff:192.0.2.9', 0))
    const at = (nowMs: number) => access.admit(caller, request, { headers: bearer(), address: '192.0.2.9', nowMs })?.why
    assert.deepEqual([at(0), at(0), at(0), at(500), at(500)], [undefined, undefined, 'rate', undefined, 'rate'])
  })

  it('hold dialogues of their own, of their numbers and services', () => {
    const contract = ingressContract('africastalking')
    const says = (fields: object) =>
      contract.hear({ sessionId: 's', phoneNumber: '67570000001', serviceCode: '*384#', text: '', ...fields }, {})!
    const access = open(
      only({ msisdn: ['6757'], services: ['*384#'] }),
      only({ name: 'old', token: 'token-of-the-only-one', isolated: false }),
    )
    const first = known(access.identify(bearer(), '', 0))
    const why = (fields: object) => (access.allowed(first, says(fields)) as { why?: string }).why
    assert.equal(why({ phoneNumber: '67580000001' }), 'msisdn')
    assert.equal(why({ serviceCode: '*100#' }), 'service')
    assert.equal(why({ serviceCode: '*384*5#' }), 'service', 'the longest code decides')
    assert.equal(why({ serviceCode: '*999#' }), undefined, 'the gateway says that nobody has it')
    const begin = access.allowed(first, says({}))
    assert.ok('session' in begin && begin.session === 'first/s')
    // What was typed looks like another service: it goes on, and could only begin a service of this caller.
    const typed = access.allowed(first, says({ text: '5' }))
    assert.ok('code' in typed)
    assert.deepEqual([typed.code, typed.text, typed.session], ['*384#', '5', 'first/s'])
    const old = known(access.identify(bearer('token-of-the-only-one'), '', 0))
    const free = access.allowed(old, says({ serviceCode: '*100#' }))
    assert.ok('session' in free && free.session === 's')
  })
})
