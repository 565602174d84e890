import assert from 'node:assert/strict'
import { ProblemsError } from '../../src/base/errors.ts'
import { moduleDeps, type ModuleHost } from '../../src/daemon/backends/modules.ts'
import { dentalOptions } from '../../samples/dental/options.ts'
import { parseSettings } from '../../src/config/load.ts'
import { silentLog } from '../../src/base/log/port.ts'
import { fakeClock } from '../support/clock.ts'

const { settings } = parseSettings(
  'door: { port: 1 }\nredis: embedded\npostgres: embedded\nservices: [{ code: "*1#", flow: a }]',
  'test',
  {},
)
const host: ModuleHost = {
  settings,
  sql: undefined as never,
  clock: fakeClock(0),
  chance: () => 0.5,
  metrics: { count: () => undefined },
  log: silentLog,
}
const read = (given: Record<string, unknown>) => dentalOptions(moduleDeps('dental', given, host))

describe("the dental module's own settings", () => {
  it('are only what was set, so that what is absent keeps its default', () => {
    assert.deepEqual(read({}), {})
    assert.deepEqual(read({ tailored: true }), { tailored: true })
  })

  it('are refused with all that is wrong, each with its place', () => {
    assert.throws(
      () => read({ holdMs: 1, tailored: 'yes', tailord: true }),
      (error) => {
        assert.ok(error instanceof ProblemsError)
        assert.equal(error.problems.length, 3)
        assert.match(error.message, /backends\.dental\.settings\.holdMs/)
        assert.match(error.message, /backends\.dental\.settings\.tailored/)
        assert.match(error.message, /"tailord"/)
        return true
      },
    )
  })
})
