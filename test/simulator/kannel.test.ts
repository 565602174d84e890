import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../style/tree.ts'

/** What the script says where the programs are missing. */
const MISSING = 77

describe('Kannel as a client of the simulator', () => {
  it('binds, sends long and UCS-2 SMS, takes receipts and an SMS from a phone', function () {
    this.timeout(120_000)
    const { status, stdout } = spawnSync('sh', [join(root, 'scripts/kannel-check.sh')], {
      encoding: 'utf8',
      timeout: 110_000,
    })
    if (status === MISSING) return this.skip()
    assert.equal(status, 0, stdout)
    assert.equal(stdout.match(/^PASS/gm)?.length, 10, stdout)
  })
})
