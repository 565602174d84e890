import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './tree.ts'

const isThere = spawnSync('promtool', ['--version']).error === undefined
const promtool = (...args: string[]) => {
  const ran = spawnSync('promtool', args, { cwd: root, encoding: 'utf8' })
  return { ok: ran.status === 0, said: ran.stdout + ran.stderr }
}

describe(`the alerts, by Prometheus itself${isThere ? '' : ' (skipped: no promtool here; Debian has it in prometheus)'}`, () => {
  before(function () {
    if (!isThere) this.skip()
  })

  it('are rules that it takes', () => {
    const { ok, said } = promtool('check', 'rules', 'deploy/alerts.yml')
    assert.ok(ok, said)
  })

  it('wake somebody when test/style/alerts.test.yml says so, and else do not', () => {
    const { ok, said } = promtool('test', 'rules', 'test/style/alerts.test.yml')
    assert.ok(ok, said)
  })

  it('are told from rules that would be silent, or too early', function () {
    // Ten runs of promtool, each some seconds of a machine that has much else to do.
    this.timeout(240_000)
    const rules = readFileSync(join(root, 'deploy/alerts.yml'), 'utf8')
    const tests = readFileSync(join(root, 'test/style/alerts.test.yml'), 'utf8')
    const dir = mkdtempSync(join(tmpdir(), 'ussd-alerts-'))
    try {
      const isTaken = (from: string | RegExp, to: string) => {
        const changed = rules.replace(from, to)
        assert.notEqual(changed, rules)
        writeFileSync(join(dir, 'alerts.yml'), changed)
        writeFileSync(join(dir, 'test.yml'), tests.replace('../../deploy/alerts.yml', 'alerts.yml'))
        return promtool('test', 'rules', join(dir, 'test.yml')).ok
      }
      assert.equal(isTaken('for: 3m', 'for: 2m'), false)
      assert.equal(isTaken('for: 3m', 'for: 4m'), false)
      assert.equal(isTaken('smpp_bind_up == 0 unless', 'smpp_bind_up == 2 unless'), false)
      assert.equal(
        isTaken(' unless (smpp_bind_standby == 1 and on (line) max by (line) (smpp_bind_up) == 1)', ''),
        false,
      )
      assert.equal(isTaken('(sms_receipt_orphans) > 5 and', '(sms_receipt_orphans) > 3 and'), false)
      assert.equal(
        isTaken(' and max by (line) (sms_receipt_orphans) > 0.05 *', ' or sms_receipt_orphans > 0.05 *'),
        false,
      )
      assert.equal(isTaken(' unless on (instance, line) max by (instance, line) (smpp_bind_up) == 0', ''), false)
      assert.equal(isTaken('ussd_test_dial_up == 0 unless', 'ussd_test_dial_up == 2 unless'), false)
      assert.equal(isTaken('< 21 * 86400', '< 22 * 86400'), false)
      assert.equal(isTaken(' and max(delta(records_waiting[15m])) > 0', ''), false)
      assert.equal(isTaken('max(min_over_time(records_waiting[15m]))', 'max(records_waiting)'), false)
      assert.equal(isTaken('(records_file_due_seconds) > 300', '(records_file_due_seconds) > 900'), false)
      assert.equal(isTaken(' and on (line) max by (line) (smpp_bind_up) == 1)', ')'), false)
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})
