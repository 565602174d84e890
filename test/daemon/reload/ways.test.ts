import assert from 'node:assert/strict'
import { settingRows } from '../../../scripts/reference/settings.ts'
import { reloadWayOf, WAYS } from '../../../src/daemon/reload/ways.ts'

describe('how a reload takes each setting', () => {
  const keys = settingRows().map(({ key }) => key)
  /** Groups of names without a value of their own: what they hold counts. */
  const GROUPS = new Set(['backends', 'apps', 'log'])

  it('is said for every key of the schema', () => {
    assert.ok(keys.length > 200, `${keys.length}`)
    assert.deepEqual(
      keys.filter((key) => !GROUPS.has(key) && reloadWayOf(key) === undefined),
      [],
      'give these a row in src/daemon/reload/ways.ts',
    )
    assert.equal(reloadWayOf('lines2.name'), undefined)
    assert.equal(reloadWayOf('dialogues'), undefined)
  })

  it('is said of no key that the schema does not have, and once', () => {
    const known = new Set([...keys, 'backends.NAME', 'apps.NAME'])
    assert.deepEqual(
      WAYS.filter(({ setting }) => !known.has(setting)),
      [],
    )
    assert.equal(new Set(WAYS.map(({ setting }) => setting)).size, WAYS.length)
  })

  it('is that of the longest row that fits', () => {
    assert.equal(reloadWayOf('dialogue.openMax')!.way, 'at-once')
    assert.equal(reloadWayOf('dialogue.idleMs')!.way, 'restart')
    assert.equal(reloadWayOf('lines[].msisdn.allow')!.way, 'tune')
    assert.equal(reloadWayOf('lines[].smsc.more[].host')!.way, 'rebind')
    assert.equal(reloadWayOf('backends.NAME.http.url')!.way, 'next-call')
    assert.equal(reloadWayOf('redis.tls.ca')!.way, 'next-connection')
    assert.equal(reloadWayOf('redis.url')!.way, 'restart')
  })

  it('has a reason in every row', () => {
    assert.deepEqual(
      WAYS.filter(({ why }) => why.length < 10),
      [],
    )
  })
})
