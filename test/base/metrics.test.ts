/** The metrics: what is counted is what is read, whenever it is read. */
import assert from 'node:assert/strict'
import { Registry } from 'prom-client'
import { COUNTERS, createMetrics, REVISIONS_TOLD_MAX, type CounterName } from '../../src/base/metrics.ts'
import { batchedCounter } from '../../src/base/batched-counter.ts'

describe('the metrics', () => {
  it('add up by labels, and are the same at each reading', async () => {
    const metrics = createMetrics({ process: false })
    for (let i = 0; i < 3; i++) metrics.count('smpp_rx', { line: 'a', command: 'deliver_sm' })
    metrics.count('smpp_rx', { command: 'deliver_sm', line: 'b' }, 4)
    metrics.count('smpp_rx', { line: 'a', command: 'submit_sm_resp' })
    for (let again = 0; again < 2; again++) {
      assert.equal(await metrics.value('smpp_rx'), 8)
      assert.equal(await metrics.value('smpp_rx', { line: 'a' }), 4)
      assert.equal(await metrics.value('smpp_rx', { line: 'b', command: 'deliver_sm' }), 4)
    }
    metrics.count('smpp_rx', { line: 'b', command: 'deliver_sm' })
    assert.equal(await metrics.value('smpp_rx', { line: 'b' }), 5)
  })

  it('stand in the exposition with their labels, once each', async () => {
    const metrics = createMetrics({ process: false })
    metrics.count('smpp_rx', { command: 'deliver_sm', line: 'a' })
    metrics.count('smpp_rx', { line: 'a', command: 'deliver_sm' })
    const lines = (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('smpp_rx_total'))
    assert.deepEqual(lines, ['smpp_rx_total{command="deliver_sm",line="a"} 2'])
  })

  it('take a count without labels, and keep it apart', async () => {
    const registry = new Registry()
    const plain = batchedCounter({ name: 'plain_total', help: '-', labelNames: [], registry })
    plain.count({}, 2)
    const labelled = batchedCounter({ name: 'labelled_total', help: '-', labelNames: ['a', 'b'], registry })
    labelled.count({ a: 'x' }, 1)
    labelled.count({ a: 'x', b: 'y' }, 1)
    assert.deepEqual(
      (await plain.values()).map(({ value }) => value),
      [2],
    )
    assert.deepEqual(
      (await labelled.values()).map(({ labels, value }) => [labels, value]),
      [
        [{ a: 'x' }, 1],
        [{ a: 'x', b: 'y' }, 1],
      ],
    )
  })

  it('tell a bounded number of flow revisions apart: those unused for longest go, those in use stay', async () => {
    const metrics = createMetrics({ process: false })
    for (let i = 0; i < REVISIONS_TOLD_MAX * 3; i++) {
      metrics.turn(0.01, 'a', `a@${i}`)
      metrics.turn(0.01, 'a', 'a@stays')
      metrics.ended(`a@${i}`, 'completed')
      if (i % 20 === 0) await metrics.registry.metrics()
    }
    const lines = (await metrics.registry.metrics()).split('\n').filter((line) => /^flow_(turns|ends)_total/.test(line))
    assert.equal(lines.length, REVISIONS_TOLD_MAX * 2 - 1)
    assert.ok(lines.includes(`flow_turns_total{revision="a@stays"} ${REVISIONS_TOLD_MAX * 3}`))
    assert.ok(!lines.some((line) => line.includes('"a@0"')))
  })

  it('refuse a label that a counter does not have', () => {
    const metrics = createMetrics({ process: false })
    assert.throws(() => metrics.count('smpp_rx', { msisdn: '1' }), /no label 'msisdn'/)
  })

  it('have no label that could hold a subscriber', () => {
    const labels = Object.keys(COUNTERS).flatMap((name) => [...COUNTERS[name as CounterName][1]])
    assert.deepEqual(
      labels.filter((label) => /msisdn|number|text|epoch/.test(label)),
      [],
    )
  })
})
