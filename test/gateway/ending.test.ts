import assert from 'node:assert/strict'
import { createEnding, resumable } from '../../src/gateway/ending.ts'
import { silentLog } from '../../src/base/log/port.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import type { EndReason } from '../../src/ussd/vocabulary.ts'
import { RECORD, START } from '../dialogue/turn-support.ts'

describe('a dialogue that is dialled again', () => {
  const ended = (reason: EndReason | null) => ({ ...RECORD, ended: reason, touchedMs: START })

  it('goes on where its subscriber did not choose its end, and not where the subscriber did', () => {
    for (const reason of ['idle', 'total', 'network-abort', 'bind-lost', 'refused', 'drained'] as const)
      assert.equal(resumable(ended(reason), START, 1_000)?.ended, reason)
    for (const reason of ['completed', 'exit', 'subscriber-abort', 'superseded', 'operator', 'answer-later'] as const)
      assert.equal(resumable(ended(reason), START, 1_000), null, reason)
    assert.equal(resumable(ended(null), START, 1_000), null)
    assert.equal(resumable(null, START, 1_000), null)
  })
  it('goes on for so long and no longer', () => {
    assert.ok(resumable(ended('idle'), START + 1_000, 1_000))
    assert.equal(resumable(ended('idle'), START + 1_001, 1_000), null)
  })
})

describe('a dialogue that ends', () => {
  it('is counted by the service code of the settings, never by what was dialled', async () => {
    const metrics = createMetrics({ process: false })
    const services = [
      { code: '*123#', flow: 'dental' },
      { code: '*', flow: 'help', lines: ['north'] },
    ]
    const end = createEnding({
      flows: { current: () => null } as never,
      services,
      backend: () => undefined,
      log: silentLog,
      metrics,
    })
    const dials: [code: string, line: string, service: string][] = [
      ['*123*4711#', 'south', '*123#'],
      ['*999*4711#', 'north', '*'],
      ['*999*4711#', 'south', 'none'],
      ['push:dental', 'north', 'push'],
    ]
    for (const [code, line] of dials) end({ ...RECORD, code, line, ended: 'completed' })
    for (const [, , service] of dials)
      assert.equal(await metrics.value('ussd_dialogues_total', { service }), 1, service)
    assert.ok(!(await metrics.registry.metrics()).includes('4711'))
  })
})
