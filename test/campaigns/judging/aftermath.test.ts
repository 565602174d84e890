import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { bugsOf, gaveUp, metricsAtRest } from './aftermath.ts'
import { books } from './checker.ts'
import { StoreError } from '../../../src/base/errors.ts'
import { createLog } from '../../../src/base/log/log.ts'

/** What a daemon's log would have, by the daemon's own logger. */
function logged(write: (log: ReturnType<typeof createLog>) => void): { log(): Record<string, unknown>[] } {
  const lines: string[] = []
  write(createLog({ level: 'info', key: Buffer.from('key'), destination: { write: (line) => void lines.push(line) } }))
  return { log: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

describe('what a campaign finds in the log of a daemon', () => {
  it('is every line that tells of a bug', () => {
    for (const msg of ['uncaught exception', 'unhandled rejection', 'turn failed', 'sweep failed']) {
      assert.equal(
        bugsOf(logged((log) => log.error({ err: new TypeError('x is not a function') }, msg))).length,
        1,
        msg,
      )
    }
  })
  it('is no turn that a store failed, and no other line', () => {
    assert.deepEqual(
      bugsOf(
        logged((log) => {
          log.error({ err: new StoreError('down', 'refused') }, 'turn failed')
          log.info({ reason: 'completed' }, 'dialogue ended')
        }),
      ),
      [],
    )
  })
})

describe('the end of a daemon in a campaign', () => {
  const after = (code: number | null, signal: NodeJS.Signals | null) =>
    gaveUp({ end: { code, signal }, raw: () => 'its last words' })
  it('was asked for, or is told', () => {
    assert.deepEqual(
      [
        gaveUp({ end: undefined, raw: () => '' }),
        after(0, null),
        after(null, 'SIGKILL'),
        after(null, 'SIGTERM'),
      ].flat(),
      [],
    )
    assert.match(after(1, null).join(), /ended by itself, 1: its last words/)
    assert.match(after(null, 'SIGABRT').join(), /SIGABRT/)
  })
})

describe('the figures of daemons at rest', () => {
  /** Answers /metrics as a daemon whose books are open for the first looks. */
  async function daemonWith(openFor: number, run: (adminPort: number) => Promise<void>): Promise<void> {
    let looks = 0
    const server = createServer((_request, response) => {
      const handled = ++looks > openFor ? 7 : 6
      response.end(`smpp_rx_total 7\nsmpp_rx_handled_total ${handled}\nsmpp_tx_submit_total 3\nsmpp_tx_ok_total 3\n`)
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    await run((server.address() as AddressInfo).port).finally(() => server.close())
  }

  it('are those of all of them once the books of all balance, however long that takes', async () => {
    await daemonWith(0, (quick) =>
      daemonWith(5, async (slow) => {
        const figures = await metricsAtRest([{ adminPort: quick }, { adminPort: slow }])
        assert.equal(figures.length, 2)
        assert.deepEqual(books(figures), [])
      }),
    )
  })
})
