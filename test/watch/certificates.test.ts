import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { createCertificates } from '../../src/watch/certificates.ts'
import { authority, hasOpenssl } from '../support/certificates.ts'

const DAY = 86_400_000

describe(`the ends of certificates${hasOpenssl() ? '' : ' (skipped: no openssl)'}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'ussd-ends-'))
  let nowMs = Date.now()
  before(function () {
    if (!hasOpenssl()) this.skip()
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  it('are the first in each file, those of peers, and nothing of a file without any', () => {
    const ca = authority(dir, 'ca')
    const [long, short] = [ca.issue('long', { days: 300 }), ca.issue('short', { days: 10 })]
    const both = join(dir, 'both.pem')
    writeFileSync(both, readFileSync(long.cert, 'utf8') + readFileSync(short.cert, 'utf8'))
    let file = both
    const certificates = createCertificates(
      () => [
        { setting: 'lines.north.smsc.tls.cert', file },
        { setting: 'lines.north.smsc.tls.key', file: long.key },
        { setting: 'redis.tls.ca', file: join(dir, 'none') },
      ],
      () => nowMs,
    )
    certificates.saw('10.0.0.5:2776', 'Dec 24 03:00:00 2026 GMT')
    certificates.saw('10.0.0.6:2776', undefined)
    const days = () => [...certificates.ends()].map(([name, ms]) => [name, Math.round((ms - nowMs) / DAY)])
    assert.equal(certificates.ends().get('10.0.0.5:2776'), Date.parse('2026-12-24T03:00:00Z'))
    assert.deepEqual(days()[0], ['lines.north.smsc.tls.cert', 10])
    assert.equal(days().length, 2)
    // A file that was replaced is seen within the hour.
    file = long.cert
    assert.deepEqual(days()[0], ['lines.north.smsc.tls.cert', 10])
    nowMs += 3_600_000
    assert.deepEqual(days()[0], ['lines.north.smsc.tls.cert', 300])
  })
})
