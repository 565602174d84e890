import assert from 'node:assert/strict'
import { sendingBy, type SendingDeps } from '../../src/sms/sending.ts'

const settingsOfSending = (lines: readonly object[], channel: string) => ({
  lines,
  reminders: { channel },
  dialogue: {},
  retention: {},
  sms: { services: {}, words: {} },
  postgres: 'embedded',
})

describe('the route of an SMS', () => {
  function route(line: string, bound: Record<string, number>, channel = 'sms') {
    const all = Object.entries(bound).map(([name, room]) => ({
      name,
      group: name[0],
      bound: () => room >= 0,
      smsRoom: () => room,
    }))
    const settings = [
      { name: 'a1', timers: { responseMs: 1 } },
      { name: 'a2', sms: {}, timers: { responseMs: 1 } },
      { name: 'b1', sms: {}, timers: { responseMs: 1 } },
    ]
    const by = sendingBy(
      {
        settings: settingsOfSending(settings, channel),
        lines: { all, get: (name: string) => all.find((one) => one.name === name) },
      } as unknown as SendingDeps,
      async () => 'off',
    )
    return { route: by.route!(line), same: by.linesOfSmsc?.('a1'), lines: by.smsLines!() }
  }

  it('is the line that it names, as far as that has room, else the first that is bound and has SMS', () => {
    const bound = { a1: 9, a2: -1, b1: 4 }
    assert.deepEqual(route('b1', bound).route, { line: 'b1', room: 4 })
    assert.deepEqual(route('', bound).route, { line: 'b1', room: 4 })
    assert.deepEqual(route('a1', bound).route, { line: 'b1', room: 4 }, 'a line without SMS sends none')
    assert.deepEqual(route('gone', bound).route, { line: 'b1', room: 4 })
    assert.equal(route('a2', bound).route, null)
    assert.equal(route('b1', { ...bound, b1: 0 }).route, null)
    assert.equal(route('', { a1: 9 }).route, null)
  })
  it('of what goes on the screen first is any line that is bound, for a few at once', () => {
    const bound = { a1: 9, a2: -1, b1: -1 }
    assert.deepEqual(route('a1', bound, 'push-then-sms').route, { line: 'a1', room: 10 })
    assert.deepEqual(route('', bound, 'push-then-sms').route, { line: '', room: 10 })
    assert.equal(route('b1', bound, 'push-then-sms').route, null)
    assert.equal(route('', { a1: -1 }, 'push-then-sms').route, null)
  })
  it('knows the lines of one SMSC, and those that send SMS', () => {
    const { same, lines } = route('', { a1: 1, a2: 1, b1: 1 })
    assert.deepEqual(
      [same, lines],
      [
        ['a1', 'a2'],
        ['a2', 'b1'],
      ],
    )
    assert.deepEqual(route('', { a1: 1 }, 'push-then-sms').lines, ['a1', 'a2', 'b1'])
  })
})

describe('whether SMS can leave', () => {
  const line = (name: string, sms?: object) => ({ name, sms, timers: { responseMs: 1 } })
  const canSend = (settings: ReturnType<typeof line>[], bound: string[], channel = 'sms') =>
    sendingBy(
      {
        settings: settingsOfSending(settings, channel),
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
