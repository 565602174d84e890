/** Whether the process before this one ended in order, by a file in the data folder. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLastRun, DIALS_SUSPECT_MS } from '../../src/daemon/last-run.ts'
import { fakeClock } from '../support/clock.ts'

describe('the last run of a daemon', () => {
  let data: string
  beforeEach(() => void (data = mkdtempSync(join(tmpdir(), 'ussd-last-run-'))))
  afterEach(() => rmSync(data, { recursive: true, force: true }))

  const clock = fakeClock()
  const logged: string[] = []
  const warn = (_: object, message: string) => void logged.push(message)
  const log = { error: warn, warn, info: warn, debug: warn }
  const start = (instance: string, begins = true) => {
    logged.length = 0
    const run = createLastRun({ data, instance, clock, log })
    if (begins) run.begin()
    return run
  }

  it('that ended in order, or that there was none, makes no turn suspect', () => {
    for (const instance of ['a', 'b']) {
      const run = start(instance)
      assert.deepEqual([run.isSuspect(null), run.isSuspect(0), logged], [false, false, []])
      run.end()
    }
  })
  it('that crashed makes what was written before this start suspect, and for a while every dial; it is said once', async () => {
    start('a')
    const run = start('b')
    assert.deepEqual(logged, ['the last run did not end in order: first turns are stored before they are played'])
    const startedMs = clock.now()
    assert.deepEqual([run.isSuspect(startedMs - 1), run.isSuspect(startedMs)], [true, false])
    await clock.advance(DIALS_SUSPECT_MS - 1)
    assert.equal(run.isSuspect(null), true)
    await clock.advance(1)
    assert.deepEqual([run.isSuspect(null), run.isSuspect(startedMs - 1)], [false, true])
    run.end()
    assert.equal(start('c').isSuspect(null), false)
  })
  it('is still the one that crashed where a start failed in between, and where another process has the folder', () => {
    const first = start('a')
    start('b', false).end()
    assert.equal(start('c', false).isSuspect(null), true)
    start('d')
    first.end()
    assert.equal(existsSync(join(data, 'running')), true)
  })
  it('is not over where its process runs: daemons that share a folder', () => {
    writeFileSync(join(data, 'running'), `${process.ppid} a`)
    assert.equal(start('b', false).isSuspect(null), false)
    writeFileSync(join(data, 'running'), '')
    assert.equal(start('c', false).isSuspect(null), true)
  })
  it('cannot be known where the data folder takes no file: the daemon serves, and says so', () => {
    mkdirSync(join(data, 'running'))
    const run = start('a')
    assert.equal(logged.at(-1), 'a crash of this run will not be noticed at the next start')
    run.end()
  })
})
