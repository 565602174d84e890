import assert from 'node:assert/strict'
import { resumable } from '../../src/gateway/ending.ts'
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
