import assert from 'node:assert/strict'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { describeWith, until } from '../../support/services.ts'
import { T6, T7 } from '../../support/screens.ts'

/** [text, its_session_info or none, ussd_service_op] → first line of the screen that comes back. */
type Turn = [text: string, its: string, op: number, expected: string]
const MENU = 'Welcome, John!'
const INVALID = 'Invalid choice. Please try again:'
const TYPES = 'Select Appointment Type:'
const SLOTS = 'Available Checkup Slots:'

const NETWORKS: { how: string; destination?: string; more?: object; turns: Turn[] }[] = [
  {
    how: 'counts in octet 2, echoing ours',
    turns: [
      ['*123#', '0100', 1, MENU],
      ['2', '0102', 18, TYPES],
      ['2', '0104', 18, SLOTS],
    ],
  },
  {
    how: 'counts by itself, by two',
    turns: [
      ['*123#', '0200', 1, MENU],
      ['2', '0204', 18, TYPES],
      ['2', '0208', 18, SLOTS],
    ],
  },
  {
    how: 'never counts',
    turns: [
      ['*123#', '0300', 1, MENU],
      ['2', '0300', 18, TYPES],
      ['2', '0300', 18, SLOTS],
      ['3', '0300', 18, TYPES],
    ],
  },
  {
    how: 'sends zeros for ever',
    turns: [
      ['*123#', '0000', 1, MENU],
      ['2', '0000', 18, TYPES],
      ['2', '0000', 18, SLOTS],
    ],
  },
  {
    how: 'sends no session at all',
    turns: [
      ['*123#', '', 1, MENU],
      ['2', '', 18, TYPES],
      ['2', '', 18, SLOTS],
    ],
  },
  {
    how: 'sends no session, and the subscriber redials at once',
    turns: [
      ['*123#', '', 1, MENU],
      ['*123#', '', 1, MENU],
    ],
  },
  {
    how: 'has the code in the destination only',
    destination: '*123#',
    turns: [
      ['', '0600', 1, MENU],
      ['2', '0602', 18, TYPES],
    ],
  },
  {
    how: 'has the code in the text only',
    destination: '7777',
    turns: [
      ['*123#', '0700', 1, MENU],
      ['2', '0702', 18, TYPES],
    ],
  },
  { how: 'dials deeper in the text', turns: [['*123*2*2#', '0800', 1, SLOTS]] },
  {
    how: 'writes numbers with a plus',
    more: { source_addr: '+67570000001', source_addr_ton: 0 },
    turns: [['*123#', '0900', 1, MENU]],
  },
  {
    how: 'adds the padding of packed septets',
    turns: [
      ['*123#\r', '0a00', 1, MENU],
      ['2\r', '0a02', 18, TYPES],
    ],
  },
]

describeWith(['redis', 'postgres'], 'networks with habits of their own, all in the standard dialect', () => {
  let smsc: Awaited<ReturnType<typeof foreignSmsc>>
  let staged: Staged

  before(async () => {
    smsc = await foreignSmsc()
    staged = await stageDaemon({ smscPort: smsc.port })
  })
  after(async () => {
    await staged?.close()
    smsc?.stop()
  })

  for (const { how, destination = '123', more = {}, turns } of NETWORKS) {
    it(`a network that ${how}`, async () => {
      for (const [text, its, op, expected] of turns) {
        const screen = await smsc.say('67570000001', {
          source_addr_ton: 1,
          source_addr_npi: 1,
          source_addr: '67570000001',
          destination_addr: destination,
          ...more,
          short_message: Buffer.from(text),
          ussd_service_op: op,
          ...(its ? { its_session_info: Buffer.from(its, 'hex') } : {}),
        })
        assert.equal(screen.text.split('\n')[0], expected)
        assert.equal(screen.op, 2)
      }
      await staged.daemon.stores.dialogues.erase('67570000001')
    })
  }

  describe('a key that the SMSC sends twice', () => {
    const MARY = '67570000088'
    const key = (text: string, its: string, op = 18) => ({
      source_addr_ton: 1,
      source_addr_npi: 1,
      source_addr: MARY,
      destination_addr: '123',
      short_message: Buffer.from(text),
      ussd_service_op: op,
      ...(its ? { its_session_info: Buffer.from(its, 'hex') } : {}),
    })
    const bookings = async () =>
      Number((await staged.knex('dental_appointment').where({ msisdn: MARY }).count())[0]!.count)
    const press = async (text: string, its: string, op?: number) => (await smsc.say(MARY, key(text, its, op))).text
    before(async () => {
      await staged.knex('dental_profile').insert({ msisdn: MARY, name: 'Mary', language: 'en', created_at: new Date() })
    })
    afterEach(() => staged.daemon.stores.dialogues.erase(MARY))

    it('confirms nothing where the counter stood still once and counts again', async () => {
      await press('*123#', '0900', 1)
      assert.match(await press('2', '0904'), /^Select Appointment Type/)
      const invalid = await press('x', '0904')
      assert.match(invalid, /^Invalid choice/)
      for (const copied of ['x', '2']) assert.equal(await press(copied, '0904'), invalid, 'its screen again')
      assert.match(await press('2', '0908'), /^Available Checkup Slots/)
      assert.equal(await press('1', '090c'), T6)
      assert.equal(await smsc.deliver(key('1', '090c')), 0)
      assert.equal(await press('x', '0910'), `${INVALID}${T6.slice(T6.indexOf('\n'))}`, 'the copy is no key')
      assert.equal(await bookings(), 0)
    })
    it('confirms nothing where the network has no counter: the question comes again, and a later key confirms', async () => {
      await press('*123#', '', 1)
      await press('2', '')
      await press('2', '')
      assert.equal(await press('1', ''), T6)
      assert.equal(await press('1', ''), T6, 'a copy, as far as can be told')
      assert.equal(await bookings(), 0)
      assert.equal(await staged.daemon.metrics.value('limits_total', { limit: 'same_key_ms' }), 1)
      let screen = T6
      await until(async () => (screen = await press('1', '')) !== T6, 'the key is never taken')
      assert.equal(screen, T7)
      assert.equal(await bookings(), 1)
    })
  })
})
