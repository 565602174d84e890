import assert from 'node:assert/strict'
import { sendingBy, type SendingDeps } from '../../src/sms/sending.ts'

describe('whether SMS can leave', () => {
  const line = (name: string, sms?: object) => ({ name, sms, timers: { responseMs: 1 } })
  const canSend = (settings: ReturnType<typeof line>[], bound: string[], channel = 'sms') =>
    sendingBy(
      {
        settings: { lines: settings, reminders: { channel }, dialogue: {}, retention: {}, postgres: 'embedded' },
        lines: { all: [], get: (name: string) => ({ name, bound: () => bound.includes(name) }) },
      } as unknown as SendingDeps,
      async () => 'off',
    ).canSend?.()

  it('never where no line has SMS', () => {
    assert.equal(canSend([line('a')], ['a']), 'never')
  })
  it('now where a line that has SMS is bound, else not now', () => {
    const settings = [line('a'), line('b', {})]
    assert.equal(canSend(settings, ['a']), 'not-now')
    assert.equal(canSend(settings, ['a', 'b']), 'now')
  })
  it('on any line where reminders go on the screen first', () => {
    assert.equal(canSend([line('a')], ['a'], 'push-then-sms'), 'now')
    assert.equal(canSend([line('a')], [], 'push-then-sms'), 'not-now')
  })
  it('as the lines are by then, which may have changed', () => {
    const settings = [line('a')]
    assert.equal(canSend(settings, ['a']), 'never')
    settings.push(line('b', {}))
    assert.equal(canSend(settings, ['b']), 'now')
  })
})
