/** A line with several binds of one daemon: each key is answered on the bind that it came over, and one may break. */
import assert from 'node:assert/strict'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { T13 } from '../../support/screens.ts'
import { describeWith, until } from '../../support/services.ts'

const [DELIVER, SUBMIT] = [0x00000005, 0x00000004]
const ASKED = 'Enter your name:'
const PHONES = Array.from({ length: 8 }, (_, n) => `6757000100${n}`)

describeWith(['redis', 'postgres'], 'a line with two links', () => {
  let smsc: Smsc
  let staged: Staged
  before(async function () {
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: ({ lines }) => {
        const [line] = lines
        line!.links = 2
        Object.assign(line!.timers, { reconnectMs: 50, reconnectMaxMs: 50 })
      },
    })
    await smsc.bound(2)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
  })

  /** By connection: how many keys went out over it, and how many screens came back. */
  function passed(since: number): Record<string, { keys: number; screens: number }> {
    const counts: Record<string, { keys: number; screens: number }> = {}
    for (const { serial, peer, direction, octets } of smsc.trace()) {
      const command = octets.readUInt32BE(4)
      if (serial <= since || (command !== DELIVER && command !== SUBMIT)) continue
      counts[peer] ??= { keys: 0, screens: 0 }
      counts[peer][direction === 'out' ? 'keys' : 'screens']++
    }
    return counts
  }
  const now = () => smsc.trace().at(-1)?.serial ?? 0
  const each = <T>(run: (phone: ReturnType<Smsc['phone']>) => Promise<T>) =>
    Promise.all(PHONES.map((msisdn) => run(smsc.phone(msisdn))))
  const binds = async () => {
    const text = await staged.daemon.metrics.registry.metrics()
    return [...text.matchAll(/^smpp_bind_up\{line="\w+",bind="(\w+\/\d)"\} (\d)$/gm)].map(
      ([, name, up]) => `${name} ${up}`,
    )
  }

  it('answers each key on the link that it came over', async () => {
    const since = now()
    for (const { text } of await each((phone) => phone.dial('*123#'))) assert.equal(text, T13)
    for (const { text } of await each((phone) => phone.answer('1'))) assert.equal(text, ASKED)
    assert.deepEqual(Object.values(passed(since)), [
      { keys: PHONES.length, screens: PHONES.length },
      { keys: PHONES.length, screens: PHONES.length },
    ])
  })

  it('goes on with all dialogues over the other while one is down, and says which', async () => {
    const [name] = (await binds())[0]!.split('/')
    smsc.chaos.add({ on: 'bind', act: { is: 'refuse', status: 0x08 } })
    const [cut] = smsc.peers()
    cut!.close()
    await until(
      async () => (await binds()).includes(`${name}/0 0`) || (await binds()).includes(`${name}/1 0`),
      'both up',
    )
    const since = now()
    for (const { text } of await each((phone) => phone.answer('1')))
      assert.equal(text, `Invalid name. Try again.\n${ASKED}`)
    assert.deepEqual(Object.keys(passed(since)), [smsc.peers().find(({ state }) => state === 'bound')!.id])
    const { ready, parts } = await staged.daemon.readiness()
    assert.equal(ready, true)
    const rows = Object.values(parts.lines as Record<string, { state: string }[]>)[0]!
    assert.equal(rows.filter(({ state }) => state === 'bound').length, 1)
    assert.equal(rows.length, 2)
  })

  it('has both again when the SMSC takes it back, with work for both', async () => {
    smsc.chaos.clear()
    await smsc.bound(2)
    await until(async () => (await binds()).every((row) => row.endsWith(' 1')), 'not up again')
    const since = now()
    for (const { text } of await each((phone) => phone.answer('Ann'))) assert.match(text, /^Welcome, Ann!/)
    assert.deepEqual(
      Object.values(passed(since)).map(({ screens }) => screens),
      [PHONES.length / 2, PHONES.length / 2],
    )
  })
})
