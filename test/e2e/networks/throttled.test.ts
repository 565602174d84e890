import assert from 'node:assert/strict'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { ID, raw, startPeer, type Peer } from '../../support/peer.ts'
import { describeWith, until } from '../../support/services.ts'

const THROTTLED = 0x58

/** deliver_sm that dials a code in a dialogue with this number. (SMPP v3.4 §4.6.1, §5.3.2.43) */
function dial(sequence: number, msisdn: string, { code = '*123#', number }: { code?: string; number: number }): Buffer {
  const body = `USSD\0\x01\x01${msisdn}\0\x00\x01${code}\0\x00\x00\x00\0\0\x00\x00\x0f\x00${String.fromCharCode(code.length)}${code}`
  return raw(ID.deliver, 0, sequence, `${body}\x05\x01\x00\x01\x01\x13\x83\x00\x02${String.fromCharCode(number)}\x00`)
}

describeWith(['redis', 'postgres'], 'an SMSC that throttles screens', () => {
  let peer: Peer
  let staged: Staged
  /** How many submit_sm to this number are still refused. */
  const refusing = new Map<string, number>()
  const submits = new Map<string, number>()
  let aheadMs = 0

  before(async function () {
    peer = await startPeer({
      onSubmit(pdu) {
        const to = /67\d{9}/.exec(pdu.body.toString('latin1'))![0]
        submits.set(to, (submits.get(to) ?? 0) + 1)
        const left = refusing.get(to) ?? 0
        refusing.set(to, left - 1)
        return left > 0
          ? raw(ID.response + ID.submit, THROTTLED, pdu.sequence)
          : raw(ID.response + ID.submit, 0, pdu.sequence, 'm\0')
      },
    })
    staged = await stageDaemon({
      smscPort: peer.port,
      now: () => realClock.now() + aheadMs,
      change: (settings) => {
        // The sweep does not help: what is shown in time is shown by its own turn.
        settings.dialogue.confirmMs = 60_000
      },
    })
    await peer.bound()
  })
  after(async () => {
    await staged?.close()
    await peer?.stop()
  })

  const say = (pdu: Buffer) => peer.connections[0]!.send(pdu)
  const submitted = (to: string, count: number) =>
    until(() => (submits.get(to) ?? 0) >= count, `${count} screens did not come`)
  const ends = (epoch: unknown) =>
    staged
      .logged()
      .filter((it) => it.msg === 'dialogue ended' && it.epoch === epoch)
      .map((it) => it.reason)
  const find = (msisdn: string) => staged.daemon.stores.dialogues.find({ group: 'test', msisdn })
  const givenUp = (why: string) => staged.daemon.metrics.value('ussd_given_up_total', { line: 'test', why })
  const confirmed = (result: string) => staged.daemon.metrics.value('ussd_replies_total', { line: 'test', result })

  it('three times in a row: the screen is shown all the same', async () => {
    const msisdn = '67570000011'
    refusing.set(msisdn, 3)
    say(dial(1, msisdn, { number: 1 }))
    await submitted(msisdn, 4)
    await until(async () => (await confirmed('ok')) === 1, 'it is not accepted')
    assert.equal((await find(msisdn))?.status, 'resting')
    assert.equal(await confirmed('refused'), 3)
    assert.equal(await givenUp('throttled'), 0)
  })

  it('a text outside any dialogue, too', async () => {
    const msisdn = '67570000012'
    refusing.set(msisdn, 3)
    say(dial(2, msisdn, { code: '*999#', number: 2 }))
    await submitted(msisdn, 4)
  })

  it('until the time of the turn is over: given up, logged, counted, and the dialogue ends as refused', async () => {
    const msisdn = '67570000013'
    refusing.set(msisdn, Infinity)
    say(dial(3, msisdn, { number: 3 }))
    await submitted(msisdn, 2)
    const epoch = (await find(msisdn))?.epoch
    aheadMs += staged.settings.dialogue.turnMs
    await until(() => ends(epoch).length > 0, 'the dialogue does not end')
    assert.deepEqual(ends(epoch), ['refused'])
    assert.equal(await givenUp('throttled'), 1)
    const said = staged.logged().find((it) => it.epoch === epoch && it.why === 'throttled')
    assert.match(String(said?.msg), /^screen given up/)
    assert.ok(Number(said?.tries) >= 2)
    assert.ok(!JSON.stringify(said).includes(msisdn))
    say(dial(4, msisdn, { number: 4 }))
    await until(async () => {
      const now = await find(msisdn)
      return now?.epoch !== epoch && now?.status === 'resting'
    }, 'no new dialogue')
    assert.deepEqual(ends(epoch), ['refused'], 'a new dial replaces nothing')
  })

  it('and the subscriber dials anew meanwhile: what was never shown ends as refused, once', async () => {
    const msisdn = '67570000014'
    refusing.set(msisdn, 2)
    say(dial(5, msisdn, { number: 5 }))
    await submitted(msisdn, 2)
    const epoch = (await find(msisdn))?.epoch
    say(dial(6, msisdn, { number: 6 }))
    await submitted(msisdn, 3)
    await until(async () => (await givenUp('gone-on')) === 1, 'it is not counted')
    assert.deepEqual(ends(epoch), ['refused'])
  })
})
