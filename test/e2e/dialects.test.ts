import assert from 'node:assert/strict'
import { join } from 'node:path'
import { dialectNames } from '../../src/smpp/dialect-load.ts'
import { startSmsc, type Smsc } from '../../src/simulator/smsc.ts'
import { voiceOf } from '../../src/simulator/voices.ts'
import { realClock } from '../support/clock.ts'
import { stageDaemon, type Staged } from '../support/daemon.ts'
import { describeWith, until } from '../support/services.ts'
import { FAREWELL, T1, T12, T3, T4, T5 } from '../support/screens.ts'
import { root } from '../style/tree.ts'

const DIR = join(root, 'dialects')
/** The four that prove the schema by difference carry a hundred subscribers at once, the others twenty. */
const CROWDED = new Set(['standard', 'vumi-tata', 'mica', 'msisdn-only'])
const NAMED = (name: string) => (screen: string) => screen.replace('John', name)
const NO_FILLING = 'No Filling slots available.\n1. Choose Another Type\n2. Back to Main Menu'
/**
 * No key twice in a row: where a network has no turn counter and the link is lost, the same key again is taken for a copy (a
 * copy taken for a second key could confirm what nobody confirmed), and the subscriber sees the same screen once more.
 */
const WALK: [string, string][] = [
  ['x', T12], ['2', T4], ['3', NO_FILLING], ['1', T4], ['2', T5], ['3', T4], ['4', T1], ['1', T3], ['2', FAREWELL],
]

describeWith(['redis', 'postgres'], 'the dental walk in every dialect, many subscribers at once', () => {
  const names = dialectNames(DIR)
  const smscs = new Map<string, Smsc>()
  let staged: Staged

  before(async function () {
    this.timeout(60_000)
    for (const name of names) smscs.set(name, await startSmsc({ clock: realClock, chance: Math.random, voice: voiceOf(name, DIR) }))
    staged = await stageDaemon({ smscPort: smscs.get('standard')!.port, change: (settings) => {
      const first = settings.lines[0]!
      first.timers.reconnectMs = 50
      settings.lines = names.map((name) => ({ ...first, name, dialect: name, smsc: { ...first.smsc, port: smscs.get(name)!.port } }))
    } })
    await Promise.all([...smscs.values()].map((smsc) => smsc.bound(1)))
    const rows = names.flatMap((_, d) => Array.from({ length: 100 }, (_, i) => ({ msisdn: numberOf(d, i), name: 'John', language: 'en', created_at: new Date() })))
    await staged.knex('dental_profile').insert(rows)
  })
  after(async function () {
    this.timeout(30_000)
    await staged?.close()
    await Promise.all([...smscs.values()].map((smsc) => smsc.stop()))
  })

  for (const [d, name] of names.entries()) {
    it(`${name}: ${CROWDED.has(name) ? 100 : 20} subscribers, the links lost once on the way`, async function () {
      this.timeout(60_000)
      const smsc = smscs.get(name)!
      const crowd = Array.from({ length: CROWDED.has(name) ? 100 : 20 }, (_, i) => smsc.phone(numberOf(d, i)))
      const lost = setTimeout(() => smsc.peers().forEach((peer) => peer.close()), 30)
      await Promise.all(crowd.map(async (phone) => {
        phone.skipRepeats = true
        const say = NAMED('John')
        assert.equal((await phone.dial('*123#')).text, say(T1))
        for (const [key, expected] of WALK) {
          const screen = await phone.answer(key)
          assert.equal(screen.text, say(expected), phone.story.join('\n'))
          assert.equal(screen.open, expected !== FAREWELL)
          assert.equal(screen.over, false)
        }
      }))
      clearTimeout(lost)
    })
  }

  it('leaves no dialogue open, and no text was cut', async () => {
    await until(() => staged.daemon.stores.dialogues.count().then((n) => n === 0), 'dialogues hang')
    assert.equal(await staged.daemon.metrics.value('ussd_cut_total'), 0)
    assert.equal(await staged.daemon.metrics.value('bugs_total'), 0)
  })
})

function numberOf(dialect: number, i: number): string {
  return `6758${String(dialect).padStart(2, '0')}${String(i).padStart(5, '0')}`
}
