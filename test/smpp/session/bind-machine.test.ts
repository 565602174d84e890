import assert from 'node:assert/strict'
import { createActor } from 'xstate'
import { bindMachine, bindStateName, type BindEvent } from '../../../machines/bind.ts'
import { BIND_TIMES, type BindTimes } from '../../../machines/bind-times.ts'
import { fakeClock } from '../../support/clock.ts'

function bindOf(more: { times?: Partial<BindTimes>; hosts?: number; chance?: number } = {}) {
  const clock = fakeClock()
  const did: string[] = []
  const heard = { at: clock.now() }
  const act = (name: string) => () => void did.push(name)
  const machine = bindMachine.provide({
    actions: {
      open: (_, { host }) => void did.push(`open ${host}`),
      bind: act('bind'),
      enquire: act('enquire'),
      missed: act('missed'),
      drop: (_, { why }) => void did.push(`drop ${why}`),
      alarm: (_, { status }) => void did.push(`alarm ${status}`),
      drain: act('drain'),
      unbind: act('unbind'),
    },
  })
  const actor = createActor(machine, {
    input: {
      times: { ...BIND_TIMES, ...more.times },
      hosts: more.hosts ?? 1,
      now: clock.now,
      chance: () => more.chance ?? 0.5,
      silentMs: () => clock.now() - heard.at,
    },
    clock: {
      setTimeout: (run: () => void, ms: number) => clock.after(ms, run),
      clearTimeout: (cancel?: () => void) => cancel?.(),
    },
  })
  actor.start()
  const send = (...events: BindEvent[]) => events.forEach((event) => actor.send(event))
  return {
    clock,
    did,
    send,
    read: () => (heard.at = clock.now()),
    state: () => bindStateName(actor.getSnapshot().value),
    waitMs: () => actor.getSnapshot().context.waitMs,
    bind: () => {
      send({ type: 'START' }, { type: 'CONNECTED' }, { type: 'BOUND' })
      heard.at = clock.now()
    },
  }
}

const LOST: BindEvent = { type: 'LOST', cause: 'lost' }
const refused = (status: number): BindEvent => ({ type: 'REFUSED', status })

describe('the bind statechart', () => {
  it('does nothing until it is started', () => {
    const bind = bindOf()
    assert.deepEqual([bind.state(), bind.did], ['closed', []])
  })

  it('gives a connect 5 s and a bind 10 s', async () => {
    const bind = bindOf()
    bind.send({ type: 'START' })
    await bind.clock.advance(4_999)
    assert.equal(bind.state(), 'connecting')
    await bind.clock.advance(2)
    assert.equal(bind.state(), 'waiting')
    assert.deepEqual(bind.did, ['open 0', 'drop connect-timeout'])
    await bind.clock.advance(bind.waitMs())
    bind.send({ type: 'CONNECTED' })
    await bind.clock.advance(9_999)
    assert.equal(bind.state(), 'binding')
    await bind.clock.advance(2)
    assert.equal(bind.did.at(-1), 'drop bind-timeout')
    assert.equal(bind.state(), 'waiting')
  })

  it('tries its hosts in order before it waits, and begins with the first again', async () => {
    const bind = bindOf({ hosts: 3 })
    bind.send({ type: 'START' }, LOST)
    await bind.clock.advance(5_001)
    assert.deepEqual(bind.did, ['open 0', 'open 1', 'drop connect-timeout', 'open 2'])
    bind.send({ type: 'CONNECTED' })
    await bind.clock.advance(10_001)
    assert.equal(bind.state(), 'waiting')
    await bind.clock.advance(bind.waitMs())
    assert.equal(bind.did.at(-1), 'open 0')
  })

  it('goes to the next host when one connects but does not bind', async () => {
    const bind = bindOf({ hosts: 2 })
    bind.send({ type: 'START' }, { type: 'CONNECTED' })
    await bind.clock.advance(10_001)
    assert.equal(bind.did.at(-1), 'open 1')
  })

  it('waits 1, 2, 4 … 10 s, with jitter of a quarter', () => {
    for (const [chance, factor] of [
      [0, 0.75],
      [0.5, 1],
      [0.999, 1.25],
    ] as const) {
      const bind = bindOf({ chance, times: { connectMs: 1 } })
      const waits: number[] = []
      bind.send({ type: 'START' })
      for (let n = 0; n < 7; n++) {
        bind.send(LOST)
        waits.push(bind.waitMs())
        void bind.clock.advance(bind.waitMs())
      }
      assert.equal(waits[0], Math.round(1_000 * (0.75 + chance / 2)))
      assert.ok(Math.abs(factor * 1_000 - waits[0]!) < 2)
    }
  })

  it('waits no longer than 10 s, however often it fails', async () => {
    const bind = bindOf()
    bind.send({ type: 'START' })
    const waits: number[] = []
    for (let n = 0; n < 8; n++) {
      bind.send(LOST)
      waits.push(bind.waitMs())
      await bind.clock.advance(bind.waitMs())
    }
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000, 10_000])
  })

  it('comes back within a second after a bind of a minute, and does not begin anew after a shorter one', async () => {
    const bind = bindOf()
    bind.bind()
    for (let n = 0; n < 14; n++) {
      bind.read()
      await bind.clock.advance(5_000)
    }
    bind.send(LOST)
    assert.ok(bind.waitMs() < 1_000, `${bind.waitMs()}`)
    await bind.clock.advance(bind.waitMs())
    const waits: number[] = []
    for (let n = 0; n < 3; n++) {
      bind.send({ type: 'CONNECTED' }, { type: 'BOUND' }, LOST)
      waits.push(bind.waitMs())
      await bind.clock.advance(bind.waitMs())
    }
    assert.deepEqual(waits, [1_000, 2_000, 4_000])
  })

  it('probes after 10 s of silence, twice, then gives the link up, within 20 s', async () => {
    const bind = bindOf()
    bind.bind()
    await bind.clock.advance(9_999)
    assert.deepEqual(bind.did, ['open 0', 'bind'])
    await bind.clock.advance(2)
    assert.equal(bind.did.at(-1), 'enquire')
    await bind.clock.advance(4_000)
    assert.deepEqual(bind.did.slice(-2), ['missed', 'enquire'])
    assert.equal(bind.state(), 'bound')
    await bind.clock.advance(4_000)
    assert.deepEqual(bind.did.slice(-2), ['missed', 'drop enquire_link-unanswered'])
    assert.equal(bind.state(), 'waiting')
  })

  it('does not probe a peer that it hears', async () => {
    const bind = bindOf()
    bind.bind()
    for (let n = 0; n < 10; n++) {
      await bind.clock.advance(5_000)
      bind.read()
    }
    assert.ok(!bind.did.includes('enquire'))
    await bind.clock.advance(10_001)
    assert.ok(bind.did.includes('enquire'))
  })

  it('takes any octets for a sign of life while it probes', async () => {
    const bind = bindOf()
    bind.bind()
    await bind.clock.advance(12_000)
    bind.read()
    await bind.clock.advance(4_000)
    assert.ok(!bind.did.includes('missed'))
    assert.equal(bind.state(), 'bound')
  })

  it('forgets a miss once it is answered', async () => {
    const bind = bindOf()
    bind.bind()
    for (let n = 0; n < 3; n++) {
      await bind.clock.advance(10_001 + 4_001)
      bind.read()
      bind.send({ type: 'ENQUIRED' })
    }
    assert.equal(bind.state(), 'bound')
    assert.equal(bind.did.filter((what) => what === 'missed').length, 3)
  })

  for (const status of [0x0e, 0x0f]) {
    it(`slows down and raises an alarm when refused with 0x${status.toString(16)}: 1, 2 … 15 minutes`, async () => {
      const bind = bindOf()
      bind.send({ type: 'START' })
      const waits: number[] = []
      for (let n = 0; n < 6; n++) {
        bind.send({ type: 'CONNECTED' }, refused(status))
        waits.push(bind.waitMs() / 60_000)
        await bind.clock.advance(bind.waitMs())
      }
      assert.deepEqual(waits, [1, 2, 4, 8, 15, 15])
      assert.equal(bind.did.filter((what) => what === `alarm ${status}`).length, 6)
    })
  }

  it('takes ESME_RBINDFAIL for what passes: 1, 2 … 32, 60 s, with an alarm; and binds when the SMSC has started', async () => {
    const bind = bindOf()
    bind.send({ type: 'START' })
    const waits: number[] = []
    for (let n = 0; n < 8; n++) {
      bind.send({ type: 'CONNECTED' }, refused(0x0d))
      waits.push(bind.waitMs() / 1_000)
      await bind.clock.advance(bind.waitMs())
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60])
    assert.equal(bind.did.filter((what) => what === 'alarm 13').length, 8)
    bind.send({ type: 'CONNECTED' }, { type: 'BOUND' })
    assert.equal(bind.state(), 'bound')
  })

  it('tries the next host when one refuses for the moment, not when the credentials are wrong or the bind is taken', () => {
    const after = (status: number) => {
      const bind = bindOf({ hosts: 2 })
      bind.send({ type: 'START' }, { type: 'CONNECTED' }, refused(status))
      return [bind.state(), bind.did.filter((what) => what.startsWith('open')).length]
    }
    assert.deepEqual([0x0d, 0x08, 0x0e, 0x0f, 0x05].map(after), [
      ['connecting', 2],
      ['connecting', 2],
      ['waiting', 1],
      ['waiting', 1],
      ['waiting', 1],
    ])
  })

  it('never waits longer than the longest pause that is set, a quarter more by chance, however often it is dropped', async () => {
    const bind = bindOf({ times: { reconnectMs: 100, reconnectMaxMs: 1_000 }, chance: 0.999 })
    bind.bind()
    for (let n = 0; n < 12; n++) {
      bind.send(LOST)
      assert.ok(bind.waitMs() <= 1_250, `drop ${n}: ${bind.waitMs()}`)
      await bind.clock.advance(bind.waitMs())
      bind.send({ type: 'CONNECTED' }, { type: 'BOUND' })
    }
  })

  for (const [servedMs, reason] of [
    [0, 'at once'],
    [5_000, 'after 5 s'],
    [20_000, 'after 20 s'],
  ] as const) {
    for (const chance of [0, 0.5, 0.999]) {
      it(`is back within 5 s each time that the SMSC drops the bind ${reason} (chance ${chance})`, async () => {
        const bind = bindOf({ chance })
        // However long it was away before.
        bind.send({ type: 'START' })
        for (let n = 0; n < 10; n++) {
          bind.send(LOST)
          await bind.clock.advance(bind.waitMs())
        }
        let [downMs, upMs] = [0, 0]
        for (let n = 0; n < 20; n++) {
          bind.send({ type: 'CONNECTED' }, { type: 'BOUND' })
          for (let ms = 0; ms < servedMs; ms += 1_000) {
            bind.read()
            await bind.clock.advance(Math.min(1_000, servedMs - ms))
          }
          bind.send(LOST)
          assert.ok(bind.waitMs() <= 5_000, `drop ${n}: ${bind.waitMs()}`)
          upMs += servedMs
          downMs += bind.waitMs()
          await bind.clock.advance(bind.waitMs())
          assert.equal(bind.state(), 'connecting')
        }
        if (servedMs === 20_000) assert.ok(downMs < 0.05 * upMs, `${downMs} ms down in ${upMs}`)
      })
    }
  }

  it('begins its back-off anew after a bind, however short: an SMSC that then goes away is tried again soon', async () => {
    const bind = bindOf()
    bind.send({ type: 'START' })
    for (let n = 0; n < 10; n++) {
      bind.send(LOST)
      await bind.clock.advance(bind.waitMs())
    }
    bind.send({ type: 'CONNECTED' }, { type: 'BOUND' }, LOST)
    const waits: number[] = []
    for (let n = 0; n < 3; n++) {
      await bind.clock.advance(bind.waitMs())
      bind.send(LOST)
      waits.push(bind.waitMs())
    }
    assert.deepEqual(waits, [1_000, 2_000, 4_000])
  })

  it('can be started again once it has stopped, and begins with its first host', async () => {
    const bind = bindOf({ hosts: 2 })
    bind.send({ type: 'START' }, LOST, { type: 'STOP', drainMs: 0 })
    assert.equal(bind.state(), 'closed')
    bind.send({ type: 'START' })
    assert.deepEqual([bind.state(), bind.did.at(-1)], ['connecting', 'open 0'])
  })

  it('tries every 2 s for 2 minutes while the SMSC says already bound, then stands by: every 30 s', async () => {
    const bind = bindOf()
    bind.send({ type: 'START' })
    let tries = 0
    for (; tries < 100; tries++) {
      bind.send({ type: 'CONNECTED' }, refused(0x05))
      if (bind.state() === 'standby') break
      assert.equal(bind.waitMs(), 2_000)
      await bind.clock.advance(2_000)
    }
    assert.equal(tries, 60)
    await bind.clock.advance(29_999)
    assert.equal(bind.state(), 'standby')
    await bind.clock.advance(2)
    bind.send({ type: 'CONNECTED' }, refused(0x05))
    assert.equal(bind.state(), 'standby')
    await bind.clock.advance(30_001)
    bind.send({ type: 'CONNECTED' }, { type: 'BOUND' })
    assert.equal(bind.state(), 'bound')
  })

  it('waits as for a loss when refused for another reason', () => {
    const bind = bindOf()
    bind.send({ type: 'START' }, { type: 'CONNECTED' }, refused(0x08))
    assert.deepEqual([bind.state(), bind.waitMs()], ['waiting', 1_000])
  })

  it('stays away for 5 s when the SMSC has unbound it', () => {
    const bind = bindOf()
    bind.bind()
    bind.send({ type: 'LOST', cause: 'unbound' })
    assert.equal(bind.waitMs(), 5_000)
  })

  it('stays away for a minute from a peer that is no SMSC', () => {
    const bind = bindOf()
    bind.send({ type: 'START' }, { type: 'CONNECTED' }, { type: 'LOST', cause: 'foreign' })
    assert.equal(bind.waitMs(), 60_000)
  })

  it('stays away for no longer each time: a certificate that is renewed is found within a minute', async () => {
    const bind = bindOf()
    bind.send({ type: 'START' })
    for (let n = 0; n < 5; n++) {
      bind.send({ type: 'CONNECTED' }, { type: 'LOST', cause: 'foreign' })
      assert.equal(bind.waitMs(), 60_000)
      await bind.clock.advance(60_000)
    }
  })

  it('comes back soon to an SMSC that it was bound to, whatever octets ended that', () => {
    const bind = bindOf()
    bind.bind()
    bind.send({ type: 'LOST', cause: 'foreign' })
    assert.equal(bind.waitMs(), 1_000)
  })

  it('stops in order: drains, unbinds, closes', async () => {
    const bind = bindOf()
    bind.bind()
    bind.send({ type: 'STOP', drainMs: 3_000 })
    assert.deepEqual([bind.state(), bind.did.at(-1)], ['unbinding', 'drain'])
    bind.send({ type: 'DRAINED' })
    assert.equal(bind.did.at(-1), 'unbind')
    bind.send({ type: 'UNBOUND' })
    assert.deepEqual([bind.state(), bind.did.at(-1)], ['closed', 'drop unbound'])
  })

  it('does not wait for ever for a drain or for unbind_resp', async () => {
    const bind = bindOf()
    bind.bind()
    bind.send({ type: 'STOP', drainMs: 3_000 })
    await bind.clock.advance(3_001)
    assert.equal(bind.did.at(-1), 'unbind')
    await bind.clock.advance(5_001)
    assert.deepEqual([bind.state(), bind.did.at(-1)], ['closed', 'drop unbind-timeout'])
  })

  it('is gone when it should be: unbind gets what is left, and a moment however late it is', async () => {
    for (const [goneMs, mostMs] of [
      [5_000, 2_000],
      [3_000, 200],
    ] as const) {
      const bind = bindOf()
      bind.bind()
      bind.send({ type: 'STOP', drainMs: 3_000, goneMs: bind.clock.now() + goneMs })
      await bind.clock.advance(3_000)
      assert.equal(bind.did.at(-1), 'unbind')
      await bind.clock.advance(mostMs - 1)
      assert.equal(bind.state(), 'unbinding')
      await bind.clock.advance(2)
      assert.deepEqual([bind.state(), bind.did.at(-1)], ['closed', 'drop unbind-timeout'])
    }
  })

  it('closes from wherever it is', () => {
    const ways: BindEvent[][] = [
      [{ type: 'START' }],
      [{ type: 'START' }, { type: 'CONNECTED' }],
      [{ type: 'START' }, LOST],
    ]
    for (const way of ways) {
      const bind = bindOf()
      bind.send(...way, { type: 'STOP', drainMs: 0 })
      assert.equal(bind.state(), 'closed')
    }
  })
})
