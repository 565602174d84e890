import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DateTime } from 'luxon'
import { dialectNames } from '../../../src/smpp/dialect/load.ts'
import type { Phone } from '../../../src/simulator/phone/phone.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { networkCodingOf } from '../../../src/simulator/network/by-name.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { pressed } from '../../support/pressed.ts'
import { describeWith, until } from '../../support/services.ts'
import { FAREWELL, T1, T11, T12, T3, T4, T5, T7 } from '../../support/screens.ts'
import { root } from '../../style/tree.ts'

const DIR = join(root, 'dialects')
/** The four that prove the schema by difference carry a hundred subscribers at once, the others twenty. */
const CROWDED = new Set(['standard', 'vumi-tata', 'mica', 'msisdn-only'])
/** Calls of the store that failed. */
const FAULTS = 'dialogue_store_errors_total'
const NAMED = (name: string) => (screen: string) => screen.replace('John', name)
const NO_FILLING = 'No Filling slots available.\n1. Choose Another Type\n2. Back to Main Menu'
/**
 * No key twice in a row: where a network has no turn counter and the link is lost, the same key again is taken for a
 * copy (a copy taken for a second key could confirm what nobody confirmed), and the subscriber sees the same screen
 * once more.
 */
const WALK: [string, string][] = [
  ['x', T12],
  ['2', T4],
  ['3', NO_FILLING],
  ['1', T4],
  ['2', T5],
  ['3', T4],
  ['4', T1],
  ['1', T3],
  ['2', FAREWELL],
]

describeWith(['redis', 'postgres'], 'the dental walk in every dialect, many subscribers at once', () => {
  const names = dialectNames(DIR)
  const smscs = new Map<string, Smsc>()
  let staged: Staged

  before(async function () {
    this.timeout(60_000)
    for (const name of names)
      smscs.set(
        name,
        await startSmsc({
          clock: realClock,
          chance: Math.random,
          screenMs: 50_000,
          coding: networkCodingOf(name, DIR),
        }),
      )
    // These phones press faster than anybody reads.
    const dir = mkdtempSync(join(tmpdir(), 'ussd-dialects-'))
    for (const name of names) writeFileSync(join(dir, `${name}.yaml`), hurried(name))
    staged = await stageDaemon({
      smscPort: smscs.get('standard')!.port,
      change: (settings) => {
        settings.dialects = { ...settings.dialects, dir }
        const first = settings.lines[0]!
        first.timers.reconnectMs = 50
        // A hundred phones get the busy text where their turns wait a second for a connection, as they do on a busy
        // machine.
        Object.assign(settings.postgres, { poolMax: 20 })
        settings.lines = names.map((name) => ({
          ...first,
          name,
          dialect: name,
          smsc: { ...first.smsc, port: smscs.get(name)!.port },
        }))
      },
    })
    await Promise.all([...smscs.values()].map((smsc) => smsc.bound(1)))
    const rows = names.flatMap((_, d) =>
      Array.from({ length: 100 }, (_, i) => ({
        msisdn: numberOf(d, i),
        name: 'John',
        language: 'en',
        created_at: new Date(),
      })),
    )
    await staged.knex('dental_profile').insert(rows)
  })
  after(async function () {
    await staged?.close()
    await Promise.all([...smscs.values()].map((smsc) => smsc.stop()))
  })

  for (const [d, name] of names.entries()) {
    it(`${name}: ${CROWDED.has(name) ? 100 : 20} subscribers, the links lost once on the way`, async function () {
      this.timeout(60_000)
      const smsc = smscs.get(name)!
      const crowd = Array.from({ length: CROWDED.has(name) ? 100 : 20 }, (_, i) => smsc.phone(numberOf(d, i)))
      const lost = setTimeout(() => smsc.peers().forEach((peer) => peer.close()), 30)
      await Promise.all(crowd.map((phone) => walks(phone, () => staged.daemon.metrics.value(FAULTS))))
      clearTimeout(lost)
    })
  }

  for (const [d, name] of names.entries()) {
    it(`${name}: 20 subscribers book a slot each, look at it, and every other one cancels`, async function () {
      this.timeout(60_000)
      const smsc = smscs.get(name)!
      const numbers = Array.from({ length: 20 }, (_, i) => numberOf(d, i))
      const slots = numbers.map((_, i) => ({
        clinic: 'koki',
        type: 'cleaning',
        starts_at: DateTime.fromISO('2026-01-05T09:00:00+10:00').plus({ days: i }).toJSDate(),
      }))
      await staged.knex('dental_slot').insert(slots)
      const phones = numbers.map((msisdn) => smsc.phone(msisdn))
      await Promise.all(
        phones.map(async (phone, i) => {
          const date = DateTime.fromISO('2026-01-05').plus({ days: i }).toFormat('dd/MM/yyyy')
          await booksAndLooks(phone, { date, cancels: i % 2 === 1 })
        }),
      )
      const rows = await staged.knex('dental_appointment').whereIn('msisdn', numbers).select('status')
      assert.deepEqual([rows.length, rows.filter(({ status }) => status === 'cancelled').length], [20, 10])
      // Who cancels before the confirmation has left gets none.
      const got = () => phones.filter(({ inbox }, i) => inbox.length === 1 || (i % 2 === 1 && inbox.length === 0))
      await until(
        () => got().length === 20,
        `a confirmation for each, once: ${phones.map(({ inbox }) => inbox.length).join(' ')}`,
      )
    })
  }
  afterEach(async () => {
    await staged
      .knex('dental_appointment')
      .whereIn('slot', staged.knex('dental_slot').where('starts_at', '>', '2026-01-01').select('id'))
      .delete()
    await staged.knex('dental_slot').where('starts_at', '>', '2026-01-01').delete()
  })

  it('leaves no dialogue open, and no text was cut', async () => {
    await until(() => staged.daemon.stores.dialogues.count().then((n) => n === 0), 'dialogues hang')
    assert.equal(await staged.daemon.metrics.value('ussd_cut_total'), 0)
    assert.equal(await staged.daemon.metrics.value('bugs_total'), 0)
  })
})

/** Its name, and the last key again at once is a key. */
function hurried(name: string): string {
  return `name: ${name}\nextends: ${name}\ninbound: { session: { sameKeyMs: 0 } }\n`
}

/**
 * Redis has half a second for an answer. Where the machine stands still for longer, the daemon refuses a dial, or says
 * that it is busy, as it must; and counts it: then the subscriber dials again. Without such a fault each turn must do.
 */
async function walks(phone: Phone, faults: () => Promise<number>): Promise<void> {
  phone.skipRepeats = true
  for (let again = 3; ; again--) {
    const before = await faults()
    try {
      return await walk(phone)
    } catch (error) {
      if (again === 0 || (await faults()) === before) throw error
      if (phone.screen?.open) phone.hangUp()
    }
  }
}

async function walk(phone: Phone): Promise<void> {
  const say = NAMED('John')
  let screen = await phone.dial('*123#')
  // After a walk that was cut off.
  if (screen.text.startsWith('Welcome back.')) screen = await pressed(phone, '2', screen.text)
  assert.equal(screen.text, say(T1))
  for (const [key, expected] of WALK) {
    screen = await pressed(phone, key, screen.text)
    assert.equal(screen.text, say(expected), phone.story.join('\n'))
    assert.equal(screen.open, expected !== FAREWELL)
    assert.equal(screen.over, false)
  }
}

/** Turns the pages of the list to the slot of that day, books it, finds it among the appointments. */
async function booksAndLooks(phone: Phone, { date, cancels }: { date: string; cancels: boolean }): Promise<void> {
  phone.skipRepeats = true
  let shown = (await phone.dial('*123#')).text
  const press = async (key: string) => (shown = (await pressed(phone, key, shown)).text)
  const expect = async (key: string, text: string) => assert.equal(await press(key), text, phone.story.join('\n'))
  await expect('2', T4)
  let list = await press('1')
  const row = () => list.match(new RegExp(`^(\\d+)\\. Koki Dental Clinic \\(${date}, 9 AM\\)$`, 'm'))?.[1]
  for (let pages = 0; !row() && pages < 20; pages++) list = await press(list.match(/^(\d+)\. More$/m)![1]!)
  await expect(row()!, `Book Cleaning at Koki Dental Clinic, ${date}, 9 AM?\n1. Confirm\n2. Cancel`)
  await expect('1', T7)
  await expect('1', T1)
  await expect('1', `Your Dental Appointments:\n1. Cleaning (${date}, Koki Dental Clinic - Upcoming)\n2. Back`)
  await expect('1', `Cleaning\nKoki Dental Clinic\n${date}, 9 AM\nUpcoming\n1. Cancel this appointment\n2. Back`)
  if (cancels) {
    await expect('1', `Cancel Cleaning on ${date} at Koki Dental Clinic?\n1. Confirm\n2. Back`)
    await expect('1', T11)
    await expect('1', T1)
    await expect('1', T3)
    await expect('2', FAREWELL)
  } else {
    await press('2')
    await expect('2', T1)
    await expect('4', FAREWELL)
  }
}

function numberOf(dialect: number, i: number): string {
  return `6758${String(dialect).padStart(2, '0')}${String(i).padStart(5, '0')}`
}
