import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CallContext } from '../../../src/backend/types.ts'
import { silentLog } from '../../../src/base/log/port.ts'
import { createMetrics } from '../../../src/base/metrics.ts'
import { parseSettings } from '../../../src/config/load.ts'
import { createBackends } from '../../../src/daemon/backends/backends.ts'
import { fakeClock, settle } from '../../support/clock.ts'

/** Says through `chance` that it was called, and never answers. */
const MODULE = `export const backend = ({ chance }) => ({
  operations: { wait: () => (chance(), new Promise(() => undefined)) },
})`

describe('calls of a module at the same time', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-backends-'))
  const file = join(folder, 'waiting.mjs')
  before(() => writeFileSync(file, MODULE))
  after(() => rmSync(folder, { recursive: true, force: true }))

  async function under(postgres: string, more = ''): Promise<number> {
    const written = `door: { port: 1 }
redis: embedded
postgres: ${postgres}
services: [{ code: "*1#", flow: a }]
backends: { shop: { module: ${JSON.stringify(file)}${more} } }`
    const { settings } = parseSettings(written, 'test', {})
    let inside = 0
    const backends = await createBackends({
      settings,
      sql: undefined as never,
      clock: fakeClock(0),
      chance: () => inside++,
      metrics: createMetrics({ process: false }),
      log: silentLog,
    })
    const stops = Array.from({ length: 60 }, () => new AbortController())
    const calls = stops.map(({ signal }) => backends.get('shop')!.call('wait', {}, { signal } as CallContext))
    await settle()
    for (const stop of stops) stop.abort()
    await Promise.all(calls)
    return inside
  }

  it('are 50, unless the settings say how many', async () => {
    const server = '{ url: "postgres://nobody@127.0.0.1:1/none", poolMax: 7 }'
    assert.equal(await under(server), 50)
    assert.equal(await under(server, ', concurrent: 3'), 3)
    assert.equal(await under(server, ', patienceMs: 5000'), 50)
    assert.equal(await under('embedded'), 50)
  })
})

describe('answers of a module', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-backends-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('are kept in memory where the flow says so, and asked for anew after a change', async () => {
    const file = join(folder, 'counting.mjs')
    const count = 'let n = 0; const say = async () => ({ n: ++n })'
    writeFileSync(file, `${count}; export const backend = () => ({ operations: { plan: say, change: say } })`)
    const written = `door: { port: 1 }
redis: embedded
postgres: embedded
services: [{ code: "*1#", flow: a }]
backends: { crm: { module: ${JSON.stringify(file)} } }`
    const metrics = createMetrics({ process: false })
    const { settings } = parseSettings(written, 'test', {})
    const clock = fakeClock(0)
    const deps = { settings, sql: undefined as never, clock, chance: Math.random, metrics, log: silentLog }
    const backends = await createBackends(deps)
    const { signal } = new AbortController()
    const asked = async (operation: string, more: Partial<CallContext>) => {
      const context = { signal, msisdn: '67570000001', language: 'en', line: 'a', ...more } as CallContext
      const result = await backends.get('crm')!.call(operation, {}, context)
      return result.is === 'data' ? (result.data as { n: number }).n : result.is
    }
    const cache = { maxAgeSeconds: 60, staleIfErrorSeconds: 0 }
    assert.deepEqual([await asked('plan', { cache }), await asked('plan', { cache })], [1, 1])
    assert.equal(await asked('plan', {}), 2, 'a call that does not say it asks the module')
    assert.equal(await asked('change', { once: true }), 3)
    assert.equal(await asked('plan', { cache }), 4)
    assert.match(
      await metrics.registry.metrics(),
      /backend_cache_total\{backend="crm",operation="plan",result="fresh"\} 1/,
    )
    await backends.close()
  })
})
