import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeKeyCommand } from '../../src/cli/store-key.ts'
import { ProblemsError, UsageError } from '../../src/base/errors.ts'
import { silentLog } from '../../src/base/log/port.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import { LOOK_MS, parseStoreKeys, watchStoreKeys, WRITES_AFTER_MS, writeStoreKeys } from '../../src/store/key-file.ts'
import { fakeClock } from '../support/clock.ts'

describe('the file of store keys', () => {
  let dir: string
  let file: string
  const put = (text: string) => writeFileSync(file, text, { mode: 0o600 })
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'ussd-keys-'))
    file = join(dir, 'keys')
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('is made for its owner alone, never over another, and gets a new key before the old ones', () => {
    const said: string[] = []
    storeKeyCommand(file, {}, (text) => said.push(text))
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const first = parseStoreKeys(file, readFileSync(file, 'utf8'))
    assert.throws(() => storeKeyCommand(file, {}, () => undefined), UsageError)
    for (let n = 0; n < 7; n++) storeKeyCommand(file, { rotate: true }, (text) => said.push(text))
    assert.doesNotMatch(said.join(), /oldest key/)
    storeKeyCommand(file, { rotate: true }, (text) => said.push(text))
    assert.ok(said.at(-1)!.startsWith(`${first.keys[0]!.id}, the oldest key, is no longer in the file`))
    for (let n = 0; n < 4; n++) storeKeyCommand(file, { rotate: true }, () => undefined)
    const last = parseStoreKeys(file, readFileSync(file, 'utf8'))
    assert.deepEqual([last.keys.length, last.names.equals(first.names), statSync(file).mode & 0o777], [8, true, 0o600])
    assert.ok(!said.join().includes(first.keys[0]!.secret.toString('base64')), 'keys are not said')
  })

  it('is refused with all that is wrong and where, and never with what is in it', () => {
    const secret = randomBytes(32).toString('base64')
    const wrong = `names: ${secret}\nk1: ${secret}\nk1: ${secret}\nK2: ${secret}\nk3: c2hvcnQ=\n`
    assert.throws(
      () => parseStoreKeys('keys', wrong),
      (error: ProblemsError) => {
        assert.deepEqual(
          error.problems.map((one) => one.where),
          ['keys:3', 'keys:4', 'keys:5'],
        )
        assert.ok(!error.message.includes(secret))
        return true
      },
    )
    assert.throws(() => parseStoreKeys('keys', `k1: ${secret}\n`), /needs a key 'names'/)
    assert.throws(() => parseStoreKeys('keys', ''), /needs a key/)
  })

  it('is refused where others can read it, and where it is not', () => {
    const how = { file, clock: fakeClock(), counters: createMetrics({ process: false }), log: silentLog }
    assert.throws(() => watchStoreKeys(how), /cannot be read \(ENOENT\)/)
    put(writeStoreKeys(randomBytes))
    chmodSync(file, 0o640)
    assert.throws(() => watchStoreKeys(how), /other users can read .*\(chmod 600/)
  })

  it('read again while the daemon runs: a new key reads at once and writes later; what is wrong changes nothing', async () => {
    const clock = fakeClock()
    const metrics = createMetrics({ process: false })
    put(writeStoreKeys(randomBytes))
    const { ring, stop } = watchStoreKeys({ file, clock, counters: metrics, log: silentLog })
    const old = ring().writer.id
    storeKeyCommand(file, { rotate: true }, () => undefined)
    await clock.advance(LOOK_MS)
    const fresh = ring().keys[0]!.id
    assert.notEqual(fresh, old)
    assert.deepEqual([ring().keys.length, ring().writer.id], [2, old])
    await clock.advance(WRITES_AFTER_MS)
    assert.equal(ring().writer.id, fresh)
    put('nonsense')
    await clock.advance(3 * LOOK_MS)
    assert.equal(ring().writer.id, fresh)
    assert.equal(await metrics.value('store_key_reloads_total', { result: 'refused' }), 1, 'said once')
    put(writeStoreKeys(randomBytes)) // with other names
    await clock.advance(LOOK_MS)
    assert.equal(ring().writer.id, fresh)
    assert.equal(await metrics.value('store_key_reloads_total', { result: 'refused' }), 2)
    assert.equal(await metrics.value('store_key_reloads_total', { result: 'taken' }), 1)
    stop()
  })
})
