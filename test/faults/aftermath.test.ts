import assert from 'node:assert/strict'
import { bugsOf, gaveUp } from '../../faults/aftermath.ts'
import { StoreError } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'

/** What a daemon's log would have, by the daemon's own logger. */
function logged(write: (log: ReturnType<typeof createLog>) => void): { log(): Record<string, unknown>[] } {
  const lines: string[] = []
  write(createLog({ level: 'info', key: Buffer.from('key'), destination: { write: (line) => void lines.push(line) } }))
  return { log: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

describe('what a campaign finds in the log of a daemon', () => {
  it('is every line that tells of a bug', () => {
    for (const msg of ['uncaught exception', 'unhandled rejection', 'turn failed', 'sweep failed']) {
      assert.equal(bugsOf(logged((log) => log.error({ err: new TypeError('x is not a function') }, msg))).length, 1, msg)
    }
  })
  it('is no turn that a store failed, and no other line', () => {
    assert.deepEqual(bugsOf(logged((log) => {
      log.error({ err: new StoreError('down', 'refused') }, 'turn failed')
      log.info({ reason: 'completed' }, 'dialogue ended')
    })), [])
  })
})

describe('the end of a daemon in a campaign', () => {
  const after = (code: number | null, signal: NodeJS.Signals | null) => gaveUp({ end: { code, signal }, raw: () => 'its last words' })
  it('was asked for, or is told', () => {
    assert.deepEqual([gaveUp({ end: undefined, raw: () => '' }), after(0, null), after(null, 'SIGKILL'), after(null, 'SIGTERM')].flat(), [])
    assert.match(after(1, null).join(), /ended by itself, 1: its last words/)
    assert.match(after(null, 'SIGABRT').join(), /SIGABRT/)
  })
})
