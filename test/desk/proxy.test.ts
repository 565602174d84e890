import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseSettings } from '../../src/config/load.ts'
import { settingsSchema } from '../../src/config/schema.ts'
import { trustedProxy } from '../../src/desk/proxy.ts'

const HEADERS: Record<string, string> = {
  'x-forwarded-user': 'mary@example.net',
  'x-forwarded-groups': 'noc, staff;unknown,__proto__',
  'x-forwarded-for': '198.51.100.9, 203.0.113.4',
  'x-forwarded-proto': 'https',
}
const from = (peer: string, more: Record<string, string> = {}) => ({
  peer,
  head: (name: string) => ({ ...HEADERS, ...more })[name],
})
const shape = settingsSchema.shape.admin.unwrap().shape.trustedProxy.unwrap()
const settings = (more: object = {}) =>
  shape.parse({ addresses: ['192.0.2.0/24'], roles: { noc: ['read', 'operate'], staff: ['read'] }, ...more })

describe('single sign-on by a trusted proxy', () => {
  it('takes the user, the roles of the groups, TLS and the address from a listed address', () => {
    const proxy = trustedProxy(settings())
    assert.deepEqual(proxy.userOf(from('192.0.2.7')), { name: 'mary@example.net', roles: ['read', 'operate'] })
    assert.deepEqual(proxy.userOf(from('::ffff:192.0.2.7'))?.roles, ['read', 'operate'])
    assert.equal(proxy.isSecure(from('192.0.2.7')), true)
    assert.equal(proxy.addressOf(from('192.0.2.7')), '203.0.113.4')
  })
  it('takes nothing from any other address, and nothing at all without a proxy', () => {
    for (const proxy of [trustedProxy(settings()), trustedProxy(undefined)]) {
      assert.equal(proxy.userOf(from('198.51.100.1')), undefined)
      assert.equal(proxy.isSecure(from('198.51.100.1')), false)
      assert.equal(proxy.addressOf(from('198.51.100.1')), '198.51.100.1')
    }
  })
  it('with a secret, takes nothing from a program on the machine of the proxy', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'desk-')), 'secret')
    writeFileSync(file, 'a-secret-of-the-proxy\n', { mode: 0o600 })
    const proxy = trustedProxy(settings({ addresses: ['127.0.0.1'], secretFile: file }))
    assert.equal(proxy.userOf(from('127.0.0.1')), undefined)
    assert.equal(proxy.userOf(from('127.0.0.1', { 'x-proxy-secret': 'guessed' })), undefined)
    assert.ok(proxy.userOf(from('127.0.0.1', { 'x-proxy-secret': 'a-secret-of-the-proxy' })))
  })
  it('is another one after a reload: what it listed, and its secret, which is read again', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'desk-')), 'secret')
    const secret = (text: string) => writeFileSync(file, text, { mode: 0o600 })
    secret('a-secret-of-the-proxy')
    const of = (more: object) => ({ admin: { trustedProxy: settings({ secretFile: file, ...more }) } })
    const proxy = trustedProxy(of({}).admin.trustedProxy)
    const user = (peer: string, sent: string) => proxy.userOf(from(peer, { 'x-proxy-secret': sent }))?.name
    assert.ok(user('192.0.2.7', 'a-secret-of-the-proxy'))
    assert.deepEqual(proxy.prepare(of({})).changed, [])

    secret('another-secret-of-the-proxy')
    const next = proxy.prepare(of({ addresses: ['203.0.113.0/24'], signOutUrl: 'https://sso.example.net/out' }))
    assert.deepEqual(next.changed, ['admin.trustedProxy'])
    assert.ok(user('192.0.2.7', 'a-secret-of-the-proxy'), 'nothing has changed before')
    next.commit()
    assert.equal(user('192.0.2.7', 'another-secret-of-the-proxy'), undefined)
    assert.equal(user('203.0.113.4', 'a-secret-of-the-proxy'), undefined)
    assert.ok(user('203.0.113.4', 'another-secret-of-the-proxy'))
    assert.equal(proxy.signOutUrl, 'https://sso.example.net/out')

    assert.throws(() => proxy.prepare(of({ secretFile: `${file}.none` })), /admin\.trustedProxy/)
    proxy.prepare({ admin: {} }).commit()
    assert.equal(user('203.0.113.4', 'another-secret-of-the-proxy'), undefined)
  })
  it('names nobody without a user, or with one that no log should have', () => {
    const proxy = trustedProxy(settings())
    for (const user of ['', ' ', 'a b', 'x'.repeat(65), 'mary\n'])
      assert.equal(
        proxy.userOf(from('192.0.2.7', { 'x-forwarded-user': user }))?.name,
        user === 'mary\n' ? 'mary' : undefined,
      )
  })
  it('is refused in the settings where every program could be the proxy', () => {
    const source = (more: string) => `
lines: [{ name: a, smsc: { host: 127.0.0.1, systemId: s, password: p } }]
services: [{ code: "*1#", flow: f }]
redis: embedded
postgres: embedded
admin: { trustedProxy: { addresses: ["127.0.0.1"]${more} } }`
    assert.throws(() => parseSettings(source(', roles: { noc: [read] }'), 'c', {}), /trustedProxy' needs secretFile/)
    assert.ok(parseSettings(source(''), 'c', {}))
  })
})
