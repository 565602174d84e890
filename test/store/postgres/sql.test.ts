import assert from 'node:assert/strict'
import { moduleBackend } from '../../../src/backend/module.ts'
import { repeating, sqlState } from '../../../src/base/sql.ts'
import { openPostgres } from '../../../src/store/postgres/connection.ts'
import type { Clock } from '../../../src/ussd/vocabulary.ts'
import { realClock } from '../../support/clock.ts'
import { dentalOn } from '../../support/dental.ts'
import { freshServer } from '../../support/postgres.ts'
import { describeWith, freePort } from '../../support/services.ts'

const sent = (code: string) => Object.assign(new Error(code), { severity: 'ERROR', code })

describe('a statement that may be run twice', () => {
  const pauses: number[] = []
  const clock: Clock = { now: () => 0, today: () => 0, after: (ms, run) => (pauses.push(ms), run(), () => undefined) }
  beforeEach(() => {
    pauses.length = 0
  })

  const run = async (errors: unknown[], signal = new AbortController().signal) => {
    let tries = 0
    const answer = await repeating(
      async () => {
        const error = errors[tries++]
        if (error) throw error
        return 'answer'
      },
      { signal, clock, chance: () => 0.5 },
    ).catch((error: unknown) => error)
    return { answer, tries }
  }

  it('is repeated after a deadlock, a serialization failure, and a lost connection, with growing pauses', async () => {
    const errors = [sent('40P01'), sent('40001'), new Error('Connection terminated unexpectedly')]
    assert.deepEqual(await run(errors), { answer: 'answer', tries: 4 })
    assert.deepEqual(pauses, [40, 80, 120])
    assert.equal((await run([sent('57P01')])).tries, 2)
    assert.equal((await run([Object.assign(new Error('reset'), { code: 'ECONNRESET' })])).tries, 2)
  })

  it('is given up after three repetitions', async () => {
    const deadlock = sent('40P01')
    assert.deepEqual(await run(Array<unknown>(9).fill(deadlock)), { answer: deadlock, tries: 4 })
  })

  it('is not repeated after an answer, a full pool, a bug, or the deadline', async () => {
    for (const error of [
      sent('23505'),
      sent('57014'),
      new TypeError('bug'),
      Object.assign(new Error('full'), { name: 'KnexTimeoutError' }),
    ]) {
      assert.deepEqual(await run([error]), { answer: error, tries: 1 })
    }
    const lost = new Error('lost')
    assert.deepEqual(await run([lost], AbortSignal.abort()), { answer: lost, tries: 1 })
  })

  it('tells what the server said from what the network did', () => {
    assert.equal(sqlState(sent('23505')), '23505')
    for (const other of [Object.assign(new Error('x'), { code: 'ECONNRESET' }), new Error('x'), null, 'x']) {
      assert.equal(sqlState(other), undefined)
    }
  })
})

describe('the dental service without its database', () => {
  it('says that it is down, and quotes nobody', async () => {
    const db = await openPostgres({ url: `postgres://nobody@127.0.0.1:${await freePort()}/none`, acquireMs: 200 })
    const backend = moduleBackend('dental', dentalOn({ sql: db.sql, clock: realClock }))
    const context = {
      intention: 'e:1:1',
      epoch: 'e',
      msisdn: '67570000001',
      language: 'en',
      line: 'a',
      todayMs: 0,
      signal: new AbortController().signal,
    }
    const result = await backend.call('book', { slot: '1' }, context)
    assert.ok(result.is === 'failed' && result.why === 'down', JSON.stringify(result))
    assert.ok(!result.detail.includes('67570000001'))
    await db.close()
  })
})

describeWith(['postgres'], 'an error of the database', () => {
  it('does not quote the values of the statement', async () => {
    const db = await freshServer()
    await assert.rejects(
      db.knex.raw('SELECT * FROM nowhere WHERE msisdn = ?', ['67570000001']),
      (error: Error) => !error.message.includes('67570000001') && sqlState(error) === '42P01',
    )
    await db.close()
  })
})
