import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringToSign, type SignedRequest } from '../../src/base/http/signed-request.ts'
import { createSignatureCheck, SIGNED_MS } from '../../src/ingress/signature.ts'
import { root } from '../style/tree.ts'

const KEY = 'a-shared-key-of-a-test'
const NOW = 1_767_225_600_000

describe('a signed request', () => {
  const request = (more: Partial<SignedRequest> = {}): SignedRequest => ({
    method: 'POST',
    target: '/ussd',
    timestamp: String(NOW),
    body: Buffer.from('sessionId=s&phoneNumber=67570000001'),
    ...more,
  })
  const sign = (signed: SignedRequest, key = KEY) =>
    createHmac('sha256', key).update(stringToSign(signed)).digest('hex')

  it('is what the page says, character by character', () => {
    const page = readFileSync(join(root, 'docs/CONTRACTS.md'), 'utf8')
    const [, key, timestamp, body, written, signature] =
      /key +`(\S+)`[^]*?timestamp +`(\d+)`[^]*?body +`(\S+)`[^]*?```text\n([^]*?)\n```[^]*?signature +`([0-9a-f]{64})`/.exec(
        page,
      )!
    const signed = { method: 'POST', target: '/ussd', timestamp: timestamp!, body: Buffer.from(body!) }
    assert.equal(stringToSign(signed), written)
    assert.equal(sign(signed, key), signature)
    const check = createSignatureCheck(key!)
    assert.equal(check.check(signed, signature!, Number(timestamp) * 1_000), 'good')
  })

  it('is good once, within five minutes, and as it was signed', () => {
    const { check } = createSignatureCheck(KEY)
    const good = sign(request())
    for (const changed of [
      { method: 'PUT' },
      { target: '/ussd?x=1' },
      { timestamp: String(NOW + 1) },
      { body: Buffer.from('sessionId=s&phoneNumber=67570000002') },
      { input: '1' },
    ])
      assert.equal(check(request(changed), good, NOW), 'signature', JSON.stringify(changed))
    for (const wrong of ['', 'x', good.slice(1), `${good}00`, sign(request(), 'another'), '0'.repeat(64)])
      assert.equal(check(request(), wrong, NOW), 'signature', wrong)
    assert.equal(check(request(), good.toUpperCase(), NOW + SIGNED_MS), 'good')
    assert.equal(check(request(), good, NOW), 'replay')
    assert.equal(check(request({ input: '5*7' }), sign(request({ input: '5*7' })), NOW), 'good')
    for (const timestamp of [
      '',
      'now',
      '17672256',
      String(NOW - SIGNED_MS - 1),
      String(NOW + SIGNED_MS + 1),
      '-1767225600',
    ]) {
      assert.equal(check(request({ timestamp }), sign(request({ timestamp })), NOW), 'stale', timestamp)
    }
  })

  it('is remembered in bounded memory: too many shorten the window, and none is taken twice', () => {
    const { check } = createSignatureCheck(KEY, 10)
    const at = (ms: number) => request({ timestamp: String(NOW + ms) })
    const use = (ms: number) => check(at(ms), sign(at(ms)), NOW)
    const times = Array.from({ length: 30 }, (_, i) => i * 10_000 - 200_000)
    const verdicts = times.map(use)
    assert.deepEqual(new Set(verdicts), new Set(['good']))
    for (const ms of times.slice(0, 20)) assert.equal(use(ms), 'stale')
    for (const ms of times.slice(20)) assert.equal(use(ms), 'replay')
    assert.equal(use(95_000), 'good')
  })
})
