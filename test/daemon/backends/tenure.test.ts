import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend, CallContext, CallResult } from '../../../src/backend/types.ts'
import { silentLog } from '../../../src/base/log/port.ts'
import { createMetrics } from '../../../src/base/metrics.ts'
import { parseSettings } from '../../../src/config/load.ts'
import { createBackends } from '../../../src/daemon/backends/backends.ts'
import { tenured } from '../../../src/daemon/backends/tenure.ts'
import { fakeClock, settle } from '../../support/clock.ts'

describe('a back end that is replaced', () => {
  function standing() {
    let closed = 0
    const answers: (() => void)[] = []
    const bare: Backend = {
      name: 'shop',
      call: () => new Promise<CallResult>((done) => answers.push(() => done({ is: 'data', data: null }))),
      ended: () => new Promise<void>((done) => answers.push(done)),
      close: async () => void closed++,
    }
    return { tenure: tenured(bare, silentLog), answers, closed: () => closed }
  }

  it('is closed once its calls and notices are over, once', async () => {
    const { tenure, answers, closed } = standing()
    const call = tenure.backend.call('buy', {}, {} as CallContext)
    const notice = tenure.backend.ended!('e1', 'completed')
    tenure.retire()
    assert.equal(closed(), 0)
    answers[0]!()
    await call
    assert.equal(closed(), 0)
    answers[1]!()
    await notice
    assert.equal(closed(), 1)
    tenure.retire()
    assert.equal(closed(), 1)
  })

  it('is closed at once if it has none, and not before it is replaced', async () => {
    const { tenure, answers, closed } = standing()
    const call = tenure.backend.call('buy', {}, {} as CallContext)
    answers[0]!()
    await call
    assert.equal(closed(), 0)
    tenure.retire()
    assert.equal(closed(), 1)
  })
})

describe('a back end that is gone from the settings', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-backends-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('is found until no dialogue that may call it is open; one that comes back is the new one', async () => {
    const file = join(folder, 'fixed.mjs')
    writeFileSync(
      file,
      'export const backend = ({ settings }) => ({ operations: { price: async () => settings.price } })',
    )
    const { settings } = parseSettings(
      `door: { port: 1 }
redis: embedded
postgres: embedded
services: [{ code: "*1#", flow: a }]
backends: { shop: { module: ${JSON.stringify(file)}, settings: { price: 1 } } }`,
      'test',
      {},
    )
    const clock = fakeClock(0)
    const metrics = createMetrics({ process: false })
    const backends = await createBackends({
      settings,
      sql: undefined as never,
      clock,
      chance: () => 0,
      metrics,
      log: silentLog,
    })
    const price = async () => {
      const { signal } = new AbortController()
      const answer = await backends.get('shop')?.call('price', {}, { signal, msisdn: '1' } as CallContext)
      return answer?.is === 'data' ? answer.data : undefined
    }
    const { shop } = settings.backends
    const take = async (next: (typeof settings)['backends']) =>
      (await backends.prepare({ backends: next, apps: {} })).commit()
    await take({})
    assert.deepEqual(backends.names, [])
    assert.equal(await price(), 1)
    const { totalMs, resumeMs } = settings.dialogue
    await clock.advance(totalMs + resumeMs + settings.late.waitMs)
    assert.equal(backends.get('shop'), undefined)
    await take({ shop: shop! })
    await take({})
    await take({ shop: { ...shop!, settings: { price: 2 } } as typeof shop & object })
    assert.equal(await price(), 2)
    await clock.advance(totalMs + resumeMs + settings.late.waitMs)
    await settle()
    assert.equal(await price(), 2, 'the one that was gone takes nothing with it')
    await backends.close()
  })
})
