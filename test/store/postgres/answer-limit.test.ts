import assert from 'node:assert/strict'
import { SilentServer, withinLimit } from '../../../src/store/postgres/answer-limit.ts'
import { fakeClock } from '../../support/clock.ts'

describe('the limit of an answer of Postgres', () => {
  type Answer = { command: string; rows: object[] }
  const LIMIT = 2_500

  function connection() {
    const clock = fakeClock()
    const asked: ((error: Error | null, answer: Answer) => void)[] = []
    const told: string[] = []
    const query = withinLimit((_config, answered) => void asked.push(answered), LIMIT, clock)
    return {
      clock,
      told,
      ask: (name: string) =>
        query({ text: name }, (error, answer) =>
          told.push(`${name} ${error instanceof SilentServer ? 'silent' : (error?.message ?? answer.command)}`),
        ),
      answer: (n: number, error: Error | null = null) => asked[n]!(error, { command: 'SELECT', rows: [] }),
    }
  }

  it('is that of each statement, and an answer after it is ignored', async () => {
    const { clock, told, ask, answer } = connection()
    ask('first')
    await clock.advance(LIMIT - 1)
    ask('second')
    assert.deepEqual(told, [])
    await clock.advance(1)
    assert.deepEqual(told, ['first silent'])
    answer(0)
    await clock.advance(LIMIT - 2)
    assert.deepEqual(told, ['first silent'])
    await clock.advance(1)
    answer(1, new Error('too late'))
    assert.deepEqual(told, ['first silent', 'second silent'])
  })

  it('begins for what was sent behind others when they are answered', async () => {
    const { clock, told, ask, answer } = connection()
    for (const name of ['a', 'b', 'c']) ask(name)
    await clock.advance(LIMIT - 1)
    answer(0)
    await clock.advance(LIMIT - 1)
    answer(1)
    await clock.advance(LIMIT - 1)
    assert.deepEqual(told, ['a SELECT', 'b SELECT'])
    await clock.advance(1)
    assert.deepEqual(told, ['a SELECT', 'b SELECT', 'c silent'])
  })

  it('does not touch what is answered in time, with rows or with an error', async () => {
    const { clock, told, ask, answer } = connection()
    for (const name of ['a', 'b', 'c']) ask(name)
    answer(0)
    answer(1, new Error('no'))
    answer(1)
    await clock.advance(LIMIT - 1)
    answer(2)
    await clock.advance(10 * LIMIT)
    ask('d')
    await clock.advance(LIMIT - 1)
    answer(3)
    assert.deepEqual(told, ['a SELECT', 'b no', 'c SELECT', 'd SELECT'])
  })
})
