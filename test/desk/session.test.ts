import assert from 'node:assert/strict'
import { tokenHash } from '../../src/admin/access.ts'
import { formSecret, newSession, openedSession, sealedSession, type OpenedBy } from '../../src/desk/session.ts'

const HOUR = 3_600_000
const mary = { roles: ['read', 'operate'] as const, name: 'mary', sha256: tokenHash('operating-token-of-a-test') }
const john = { roles: ['read'] as const, name: 'john', sha256: tokenHash('reading-token-of-a-test') }
const KEY = 'the key of the fleet'
const limits = () => ({ idleMs: HOUR, longestMs: 8 * HOUR })
const by = (more: Partial<OpenedBy> = {}): OpenedBy => ({
  key: KEY,
  tokens: [john, mary],
  nowMs: 1_000,
  limits,
  ...more,
})

describe('the cookie of the desk', () => {
  const session = newSession(mary, 1_000)
  const cookie = sealedSession(session, KEY, mary)

  it('says who signed in, in every daemon with the same key and token', () => {
    assert.deepEqual(openedSession(cookie, by()), { session, token: mary })
  })
  it('is worth nothing without its token, under another key, or changed', () => {
    assert.equal(openedSession(cookie, by({ tokens: [john] })), undefined)
    assert.equal(openedSession(cookie, by({ key: 'another key' })), undefined)
    for (let at = 0; at < cookie.length; at++) {
      const changed = `${cookie.slice(0, at)}${cookie[at] === 'a' ? 'b' : 'a'}${cookie.slice(at + 1)}`
      assert.equal(openedSession(changed, by()), undefined, changed)
    }
    assert.equal(openedSession('', by()), undefined)
  })
  it('cannot be made by somebody who has the key of the database only', () => {
    const forged = sealedSession(newSession(mary, 1_000), KEY, { ...mary, sha256: Buffer.alloc(32) })
    assert.equal(openedSession(forged, by()), undefined)
  })
  it('is over when nobody was there for a while, and after a long shift', () => {
    assert.ok(openedSession(cookie, by({ nowMs: 1_000 + HOUR })))
    assert.equal(openedSession(cookie, by({ nowMs: 1_001 + HOUR })), undefined)
    const late = sealedSession({ ...session, seenMs: 1_000 + 8 * HOUR }, KEY, mary)
    assert.ok(openedSession(late, by({ nowMs: 1_000 + 8 * HOUR })))
    assert.equal(openedSession(late, by({ nowMs: 1_001 + 8 * HOUR })), undefined)
  })
  it('does not come from the future', () => {
    const ahead = sealedSession({ ...session, seenMs: 2 * HOUR }, KEY, mary)
    assert.equal(openedSession(ahead, by()), undefined)
  })
  it('has a secret in its forms that is of this session only', () => {
    assert.notEqual(formSecret(KEY, session.id), formSecret(KEY, newSession(mary, 1_000).id))
    assert.equal(formSecret(KEY, session.id), formSecret(KEY, session.id))
  })
})
